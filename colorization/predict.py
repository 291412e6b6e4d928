"""Colour grey photos, at their full resolution.

    python -m colorization.predict photo.jpg
    python -m colorization.predict photo.jpg album/ out=coloured run=runs/RUN
    python -m colorization.predict photo.jpg samples=4                    four plausible colourings
    python -m colorization.predict photo.jpg vivid=0.7                    0 accurate, 1 as colourful as truth
    python -m colorization.predict photo.jpg chroma=1.2                   more chroma, within the gamut
    python -m colorization.predict photo.jpg temperature=0.2              more vivid than 0.38, near the mode
    python -m colorization.predict photo.jpg weights=siggraph17-df00044c.pth   the authors' released file

Each picture is written to OUT/NAME.png, samples to OUT/NAME_1.png and on. The network sees a small
copy; the colour that it finds is enlarged and joined to the picture's own lightness, which stays as it
is. Samples and temperature need a run that learnt a distribution, such as objective=classification. Without
vivid, each objective decodes as it always has: a regression its ab, a classification at its temperature.
"""

import logging
from pathlib import Path

from omegaconf import DictConfig

from colorization.command import command

log = logging.getLogger(__name__)


@command("predict", __doc__, positional="inputs")
def main(cfg: DictConfig) -> int:
    """Colour every input; 1 when one of them could not be."""
    from rich.progress import Progress

    from colorization.album import photos
    from colorization.files import replaced
    from colorization.painter import painted, painter

    out = Path(cfg.out).expanduser()
    planned = photos([Path(name).expanduser() for name in cfg.inputs], out, cfg.samples)
    name, chosen = painter(cfg, len(planned))
    faults: list[str] = []
    with Progress() as bar:
        task = bar.add_task("colour", total=len(planned))
        for photo, colourings in painted(planned, chosen, faults):
            for target, colouring in zip(photo.targets, colourings, strict=True):
                with replaced(target) as partial:
                    colouring.save(partial, format="png")
            bar.advance(task)
    log.info("coloured %d of %d pictures with %s: %s", len(planned) - len(faults), len(planned), name, out)
    for fault in faults:
        log.error("skipped %s", fault)
    return 1 if faults else 0


if __name__ == "__main__":
    main()
