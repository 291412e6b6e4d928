"""metrics.csv: the run folder's own record, written whatever other logger there is."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from colorization.files import replaced

FIRST = ("step", "epoch", "pictures", "seconds")


class Table(Logger):
    """One row per logged step, one column per metric, empty where a step did not log it.

    A resumed run goes on in the same file: rows after the checkpoint's step are dropped first.

    Args:
        path: the CSV file.
        moment: what "pictures" and "seconds" are now, asked at every row.
    """

    def __init__(self, path: Path, moment: Any):
        super().__init__()
        self.path = path
        self.moment = moment
        self.rows: dict[int, dict[str, float]] = {}
        self.resumed = False

    @property
    def name(self) -> str:
        return "table"

    @property
    def version(self) -> str:
        return ""

    def resume(self, step: int) -> None:
        """Keep the rows up to `step` of an earlier part of the run."""
        if self.path.exists():
            with self.path.open() as file:
                for row in csv.DictReader(file):
                    if int(row["step"]) <= step:
                        self.rows[int(row["step"])] = {
                            k: float(v) for k, v in row.items() if v and k != "step"
                        }

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.rows.setdefault(step or 0, {}).update(self.moment() | dict(metrics))

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The configuration has its own file."""

    @rank_zero_only
    def save(self) -> None:
        if not self.rows:
            return
        names = dict.fromkeys(FIRST) | {k: None for row in self.rows.values() for k in row}
        with replaced(self.path) as partial, partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(names))
            writer.writeheader()
            writer.writerows({"step": step} | row for step, row in sorted(self.rows.items()))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.save()
