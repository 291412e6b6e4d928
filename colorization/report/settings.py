"""In which settings do runs differ, and which of them are one method with several seeds?"""

import json
from collections.abc import Sequence
from typing import Any

from colorization.report.reading import Scored

# Settings of where a run took place and how it was scored; its method does not depend on them.
INCIDENTAL = (
    *("run.", "name", "resume", "logger", "hydra."),
    *("data.name", "data.root", "data.cache_dir", "data.workers"),
    *("metric", "protocol"),  # runs of another protocol are refused
)

SEEDS = ("seed", "data.seed")  # the second follows the first


def setting_differences(runs: Sequence[Scored]) -> dict[str, list[Any]]:
    """The settings that differ: name -> one value per run."""
    keys = sorted({key for run in runs for key in run.config if not key.startswith(INCIDENTAL)})
    table = {key: [run.config.get(key) for run in runs] for key in keys}
    return {key: row for key, row in table.items() if any(value != row[0] for value in row)}


def by_seed(runs: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Groups of runs that differ by their seed alone, each under its own name.

    A run with the same seed as another of its group starts a new group: it is no second sample.
    """
    groups: dict[str, list[Scored]] = {}
    for run in runs:
        method = {k: v for k, v in run.config.items() if not k.startswith(INCIDENTAL) and k not in SEEDS}
        key = json.dumps(method, sort_keys=True, default=str) if method else run.name
        while any(other.config.get("seed") == run.config.get("seed") for other in groups.get(key, [])):
            key += "'"
        groups.setdefault(key, []).append(run)
    return {_name(group): group for group in groups.values()}


def _name(group: Sequence[Scored]) -> str:
    """The common part of names that end in _SEED, else the first name."""
    stems = {run.name.removesuffix(f"_{run.config.get('seed')}") for run in group}
    return stems.pop() if len(group) > 1 and len(stems) == 1 else group[0].name
