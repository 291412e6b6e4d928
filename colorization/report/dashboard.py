"""Weights & Biases: runs are read from there, tables and pictures are logged there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from colorization.config import ConfigError
from colorization.logger.wandb import EVALUATION, started
from colorization.report import tables
from colorization.report.comparison import Comparisons
from colorization.report.pictures import pictures_of
from colorization.report.reading import Scored
from colorization.report.samples import sample_rows

PREFIX = "wandb:"
DOWNLOADS = Path("wandb/evaluations")


def local_folder(path: str, api: Any = None) -> str:
    """A run's folder: the path itself, or the download of wandb:ENTITY/PROJECT/ID.

    Args:
        path: as typed.
        api: wandb.Api() or a substitute.

    Raises:
        ConfigError: no key, no such run, or one that logged no evaluation.
    """
    if not path.startswith(PREFIX):
        return path
    import wandb

    place = path.removeprefix(PREFIX)
    if place.count("/") != 2:
        raise ConfigError([f"{path}: should be wandb:ENTITY/PROJECT/ID, as in the run's address"])
    try:
        run = (api or wandb.Api()).run(place)
        artifacts = [artifact for artifact in run.logged_artifacts() if artifact.type == EVALUATION]
    except wandb.errors.UsageError as error:
        raise ConfigError(
            [f"{path}: Weights & Biases needs a key ({error}); type wandb login, or set WANDB_API_KEY"]
        ) from error
    except (wandb.errors.Error, ValueError) as error:
        raise ConfigError([f"{path}: cannot be read from Weights & Biases ({error})"]) from error
    if not artifacts:
        raise ConfigError(
            [f"{path}: this run logged no evaluation; one that trained with logger=wandb has one"]
        )
    folder = DOWNLOADS / place / str(run.name).replace("/", "_")
    artifacts[-1].download(root=str(folder))
    return str(folder)


def publish(runs: Sequence[Scored], table: Comparisons, page: Path, project: str) -> str | None:
    """Log the tables, the sample pictures and the page as a W&B run; its address when online."""
    import wandb

    run = started(
        "auto", dir=page.parent, project=project, job_type="compare", name=f"compare {len(runs)} runs"
    )
    means = wandb.Table(["row", "kind", *table.metrics])
    for name, cells in table.cells.items():
        means.add_data(
            name, table.kinds[name], *(cells[m].mean if m in cells else None for m in table.metrics)
        )
    differences = wandb.Table(list(tables.DIFFERENCES), data=tables.difference_rows(table))
    pictures = wandb.Table(["name", "grey", *(run.name for run in runs), "truth"])
    for i in sample_rows(runs):
        pictures.add_data(runs[0].names[i], *(wandb.Image(image) for image in pictures_of(runs, i).values()))
    run.log(
        {
            "means": means,
            "differences": differences,
            "pictures": pictures,
            "page": wandb.Html(page.read_text(encoding="utf-8")),
        }
    )
    address = None if run.offline else run.url
    run.finish()
    return address
