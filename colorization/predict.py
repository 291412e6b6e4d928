"""Colour grey photos and films, at their full resolution.

    python -m colorization.predict photo.jpg
    python -m colorization.predict photo.jpg album/ out=coloured run=runs/RUN
    python -m colorization.predict album/ format=png toned=keep           16 bits stay 16; sepia stays sepia
    python -m colorization.predict photo.jpg samples=4                    four plausible ones, and a sheet
    python -m colorization.predict photo.jpg vivid=0.7                    0 accurate, 1 as colourful as truth
    python -m colorization.predict photo.jpg chroma=1.2                   more chroma, within the gamut
    python -m colorization.predict photo.jpg temperature=0.2              more vivid than 0.38, near the mode
    python -m colorization.predict film.mp4                               steadied along motion, sound kept
    python -m colorization.predict photo.jpg reference=other.jpg          the colours of another, as a whole
    python -m colorization.predict photo.jpg layer=true                   also its chroma, for an editor
    python -m colorization.predict photo.jpg weights=siggraph17-df00044c.pth   the authors' released file

Each picture is written to OUT/NAME, of its own kind where that holds colour, with its alpha, bits, EXIF, XMP
and dpi, and a mark that the colour is a model's guess; samples to OUT/NAME_1 and on. The network sees a small
copy; the colour that it finds is enlarged and joined to the picture's own lightness, which stays as it is. Of
several pictures OUT/report.html shows before and after; a second call makes only what is not there, or would
come out otherwise. Samples and temperature need a run that learnt a distribution, such as
objective=classification. Without vivid, each objective decodes as it always has: a regression its ab, a
classification at its temperature. A film keeps sound, timing and rotation; killed, the same call goes on.
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command

log = logging.getLogger(__name__)


@command("predict", __doc__, positional="inputs")
def main(cfg: DictConfig) -> int:
    """Colour every input; 1 when one of them could not be."""
    from colorization.album import photos
    from colorization.darkroom import Darkroom
    from colorization.painter import painter
    from colorization.picture.writing import Writer
    from colorization.prints import printed
    from colorization.projector import Projector, refuse

    out = Path(cfg.out).expanduser()
    writer = Writer(cfg.format, cfg.quality, cfg.subsampling)
    inputs = [Path(name).expanduser() for name in cfg.inputs]
    planned = photos(inputs, out, cfg.samples, writer, cfg.layer)
    refuse(cfg, planned)
    name, chosen = painter(cfg, len(planned))
    projector = Projector(chosen, name, cfg.steady, cfg.toned)
    return printed(cfg, planned, Darkroom(chosen, name, writer, cfg.toned), projector, out)


if __name__ == "__main__":
    main()
