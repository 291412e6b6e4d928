"""Turn the authors' released weights into a checkpoint of this project.

    python -m colorization.convert weights=colorization_release_v2-9b330a0b.pth   writes eccv16.ckpt
    python -m colorization.convert weights=siggraph17-df00044c.pth                writes siggraph17.ckpt

Then:

    python -m colorization.evaluate run=eccv16.ckpt data=coco data.root=COCO
    python -m colorization.predict photo.jpg run=eccv16.ckpt
(predict weights=FILE.pth does without the checkpoint). See colorization/released.py.
"""

import logging
from pathlib import Path

import torch
from omegaconf import DictConfig, OmegaConf

from colorization.command import command, command_line
from colorization.config import ConfigError
from colorization.files import replaced
from colorization.module import Colorizer
from colorization.released import read_tensors, recognised, released

log = logging.getLogger(__name__)


@command("convert", __doc__)
def main(cfg: DictConfig) -> None:
    """Convert one file."""
    if not cfg.weights:
        raise ConfigError([f"no file given: {command_line('convert', 'weights=FILE.pth')}"])
    weights = Path(cfg.weights).expanduser()
    model = recognised(read_tensors(weights), weights)
    out = Path(cfg.out or f"{model}.ckpt").expanduser()
    if out.exists():
        raise ConfigError([f"out={out}: is there already; choose another name or remove it"])
    save(*released(weights), out)
    log.info("%s; colour a photo with it: %s", out, command_line("predict", "photo.jpg", f"run={out}"))


def save(cfg: DictConfig, colorizer: Colorizer, out: Path) -> None:
    """Write a checkpoint that evaluate and predict take, whole or not at all."""
    colorizer.record = {"config": OmegaConf.to_container(cfg, resolve=True)}
    checkpoint = {"state_dict": colorizer.state_dict(), "global_step": 0, "epoch": 0}
    colorizer.on_save_checkpoint(checkpoint)
    with replaced(out) as partial, partial.open("wb") as file:
        torch.save(checkpoint, file)


if __name__ == "__main__":
    main()
