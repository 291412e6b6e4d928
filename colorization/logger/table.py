"""metrics.csv: the run folder's own record, written whatever other logger there is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only

from colorization.files import read_csv, write_csv

FIRST = ("step", "epoch", "pictures", "seconds")


class Table(Logger):
    """One row per logged step, one column per metric, empty where a step did not log it.

    A resumed run goes on in the same file: rows after the checkpoint's step are dropped first.

    Args:
        path: the CSV file.
        moment: what `FIRST` are now, asked at every row; "step" counts the batches that were trained on.
    """

    def __init__(self, path: Path, moment: Callable[[], dict[str, float]]):
        super().__init__()
        self.path = path
        self.moment = moment
        self.rows: dict[int, dict[str, Any]] = {}

    @property
    def name(self) -> str:
        return "table"

    @property
    def version(self) -> str:
        return ""

    def resume(self, step: int) -> None:
        """Keep the rows up to `step` of an earlier part of the run, to the letter."""
        if self.path.exists():
            read = {int(row["step"]): row for row in read_csv(self.path)}
            self.rows = {at: {k: v for k, v in row.items() if v} for at, row in read.items() if at <= step}

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Add to the row of this moment; Lightning's own `step` lags behind in a validation."""
        moment = self.moment()
        self.rows.setdefault(int(moment["step"]), {}).update(dict(metrics) | moment)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """The configuration has its own file."""

    @rank_zero_only
    def save(self) -> None:
        if not self.rows:
            return
        names = dict.fromkeys(FIRST) | {k: None for row in self.rows.values() for k in row}
        write_csv(self.path, [row for _, row in sorted(self.rows.items())], list(names))

    @rank_zero_only
    def finalize(self, status: str) -> None:
        self.save()
