"""Lay the colour of any tool's result on the original's own lightness, so that no line moves.

    python -m colorization.graft original.jpg coloured.png
    python -m colorization.graft original.jpg one.png other.png     the mean colour of several

The first picture is the original; the others are registered to it by their lightness, whatever their sizes.
It is written to OUT/NAME with its own bits, alpha, metadata and kind, as predict writes it.
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command

log = logging.getLogger(__name__)


@command("graft", __doc__, positional="inputs")
def main(cfg: DictConfig) -> int:
    """Graft, and say where to."""
    from dataclasses import replace

    from colorization.album import photos
    from colorization.config import ConfigError
    from colorization.picture.graft import grafted
    from colorization.picture.reading import one
    from colorization.picture.writing import Writer

    paths = [Path(name).expanduser() for name in cfg.inputs]
    if len(paths) < 2:
        raise ConfigError(["give the original and what is coloured: graft original.jpg coloured.png"])
    writer = Writer(cfg.format, cfg.quality, cfg.subsampling)
    (planned,) = photos(paths[:1], Path(cfg.out).expanduser(), writer=writer)
    original = one(paths[0])
    made = grafted(original, [one(path) for path in paths[1:]], cfg.gamut)
    named = " and ".join(path.name for path in paths[1:])
    said = writer.write(planned.targets[0], [replace(made, metadata=made.metadata.marked(f"of {named}"))])
    for words in [*original.said, *said]:
        log.warning("%s: %s", paths[0], words)
    log.info("%s: the lightness of %s, the colour of %s", planned.targets[0], paths[0], named)
    return 0


if __name__ == "__main__":
    main()
