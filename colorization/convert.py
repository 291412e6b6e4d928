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

from omegaconf import DictConfig

from colorization.command import command
from colorization.config import ConfigError, command_line

log = logging.getLogger(__name__)


@command("convert", __doc__)
def main(cfg: DictConfig) -> None:
    """Convert one file."""
    from colorization.released import read_tensors, recognised, released, save

    if not cfg.weights:
        raise ConfigError([f"no file given: {command_line('convert', 'weights=FILE.pth')}"])
    weights = Path(cfg.weights).expanduser()
    model = recognised(read_tensors(weights), weights)
    out = Path(cfg.out or f"{model}.ckpt").expanduser()
    if out.exists():
        raise ConfigError([f"out={out}: is there already; choose another name or remove it"])
    save(*released(weights), out)
    log.info("%s; colour a photo with it: %s", out, command_line("predict", "photo.jpg", f"run={out}"))


if __name__ == "__main__":
    main()
