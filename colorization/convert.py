"""Turn a run into one small file, or the authors' released weights into a checkpoint of this project.

    python -m colorization.convert run=runs/RUN                                   writes RUN.safetensors
    python -m colorization.convert weights=colorization_release_v2-9b330a0b.pth   writes eccv16.ckpt
    python -m colorization.convert weights=siggraph17-df00044c.pth                writes siggraph17.ckpt
    python -m colorization.convert weights=ddcolor_paper_tiny.pth                 writes ddcolor.ckpt

Then:

    python -m colorization.evaluate run=eccv16.ckpt data=coco data.root=COCO
    python -m colorization.predict photo.jpg run=eccv16.ckpt
(predict weights=FILE.pth does without the checkpoint). A run's small file holds its network in half
precision (see colorization/weights/file.py), without what only training needs; the authors' files are read
by colorization/released.py.
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command
from colorization.config import ConfigError, command_line

log = logging.getLogger(__name__)


@command("convert", __doc__)
def main(cfg: DictConfig) -> None:
    """Convert a run or a file."""
    if bool(cfg.run) == bool(cfg.weights):
        fault = "give one of run and weights" if cfg.run else "nothing to convert"
        raise ConfigError([f"{fault}: {command_line('convert', 'run=runs/RUN')}, or weights=FILE.pth"])
    out = a_run(cfg) if cfg.run else a_release(cfg)
    log.info("%s; colour a photo with it: %s", out, command_line("predict", "photo.jpg", f"run={out}"))


def a_run(cfg: DictConfig) -> Path:
    """The network of a run, as a .safetensors file."""
    from colorization.objective.adversarial import alone
    from colorization.reopen import open_run
    from colorization.weights.file import SUFFIX, write

    run = open_run(cfg.run)
    out = _free(cfg.out or f"{run.name}{SUFFIX}")
    if out.suffix != SUFFIX:
        raise ConfigError([f"out={out}: a run becomes a {SUFFIX} file; name it so"])
    size = run.config.data.image_size if cfg.size == "auto" else cfg.size
    write(alone(run.state), out, run.colorizer().hints.silent, size)
    return out


def a_release(cfg: DictConfig) -> Path:
    """The authors' network, as a checkpoint."""
    from colorization.released import read_tensors, recognised, released, save

    weights = Path(cfg.weights).expanduser()
    model = recognised(read_tensors(weights), weights)
    out = _free(cfg.out or f"{model}.ckpt")
    save(*released(weights), out)
    return out


def _free(name: str) -> Path:
    out = Path(name).expanduser()
    if out.exists():
        raise ConfigError([f"out={out}: is there already; choose another name or remove it"])
    return out


if __name__ == "__main__":
    main()
