"""In which settings do runs differ, and which of them are one method with several seeds?"""

import json
from collections.abc import Sequence
from typing import Any

from colorization.report.reading import Scored

# Settings that say where a run was done and how it was scored, not what it is.
INCIDENTAL = (
    *("run.", "name", "resume", "data.root", "data.cache_dir", "data.workers", "logger", "hydra."),
    *("metric", "protocol"),  # runs of another protocol are refused
)

SEEDS = ("seed", "data.seed")  # the second follows the first


def differences(runs: Sequence[Scored]) -> dict[str, list[Any]]:
    """The settings that differ: name -> one value per run."""
    keys = sorted({key for run in runs for key in run.config if not key.startswith(INCIDENTAL)})
    table = {key: [run.config.get(key) for run in runs] for key in keys}
    return {key: row for key, row in table.items() if any(value != row[0] for value in row)}


def by_seed(runs: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Runs that differ by nothing but their seed, together; each group under a name of its own.

    A run that repeats another to the seed stands apart: it is no second sample.
    """
    groups: dict[str, list[Scored]] = {}
    for run in runs:
        kept = {k: v for k, v in run.config.items() if not k.startswith(INCIDENTAL) and k not in SEEDS}
        key = json.dumps(kept, sort_keys=True, default=str) if kept else run.name
        while any(other.config.get("seed") == run.config.get("seed") for other in groups.get(key, [])):
            key += "'"
        groups.setdefault(key, []).append(run)
    return {_name(group): group for group in groups.values()}


def _name(group: Sequence[Scored]) -> str:
    """The runs' name without _SEED where that is all they differ in, or the first one's."""
    stems = {run.name.removesuffix(f"_{run.config.get('seed')}") for run in group}
    return stems.pop() if len(group) > 1 and len(stems) == 1 else group[0].name
