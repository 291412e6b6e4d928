"""Colour a photo on a page in the browser, and correct it by clicks.

    python -m colorization.studio                      opens the page, with the network that comes along
    python -m colorization.studio run=runs/RUN         another network
    python -m colorization.studio run=[box,runs/RUN]   two, with a line between their colours of a photo
    python -m colorization.studio port=8000 browser=false

Drop a photo: it is coloured at once, beside the grey, with a slider between. Click a point and choose among
the colours that the network finds likely there, or any other. Download it at full resolution, with its
metadata, as predict writes it. Several photos, or a zip, are coloured alike, into one zip. The page is served
to this computer alone, and of a photo no file outlasts the program. Ctrl-C ends it. Needs Gradio:
pip install 'colorization-lab[studio]'.
"""

import logging

from omegaconf import DictConfig

from colorization.command import command

log = logging.getLogger(__name__)


@command("studio", __doc__)
def main(cfg: DictConfig) -> None:
    """Serve the page until it is interrupted."""
    from colorization.desk.serving import LOOPBACK, listening, served, until_ended, with_gradio
    from colorization.desk.studios import studios
    from colorization.picture.writing import Writer

    with_gradio()
    listening(cfg.host, cfg.port)
    opened = studios(cfg)
    writer = Writer(cfg.format, cfg.quality, cfg.subsampling)
    with served(opened, writer, cfg.host, cfg.port, cfg.largest, cfg.browser) as address:
        log.info("%s at %s; Ctrl-C ends it", " and ".join(studio.name for studio in opened), address)
        if cfg.host not in LOOPBACK:
            log.warning("host=%s: whoever reaches this computer can use the page", cfg.host)
        until_ended()


if __name__ == "__main__":
    main()
