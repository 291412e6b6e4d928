"""Draw docs/studio.png: python -m docs.studio

The studio's page with the network that comes along, opened in Chromium: three photos of scikit-image's, made
grey, are dropped, and in one a point takes the third of the colours that are likely there.
"""

import tempfile
from pathlib import Path

import skimage.data
from PIL import Image

from colorization.compose import composed
from colorization.desk.serving import served
from colorization.desk.studios import studios
from colorization.picture.writing import Writer
from tests.browser import chromium
from tests.desk.test_page import free_port, mouse, place, upload

NAMES = ("coffee", "astronaut", "chelsea")
SCREEN = {"width": 1024, "height": 900, "mobile": False, "deviceScaleFactor": 1}
SAUCER = (0.3, 0.49)  # where it is on the photo of coffee


def main() -> None:
    """Work on the page as a person does, and photograph it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        served(studios(composed("studio", ["run=box"])), Writer(), "127.0.0.1", free_port()) as address,
        chromium(Path(scratch) / "profile") as tab,
    ):
        for name in NAMES:
            photo = Image.fromarray(getattr(skimage.data, name)())
            photo.convert("L").save(f"{scratch}/{name}.jpg", quality=95)
        tab.call("Emulation.setDeviceMetricsOverride", **SCREEN)
        tab.call("Page.navigate", url=address)
        tab.until("!!document.querySelector('input[type=file]')", 90)
        upload(tab, *(f"{scratch}/{name}.jpg" for name in NAMES))
        tab.until("document.querySelectorAll('.samples img').length === 5", 90)
        at = place(tab, *SAUCER)
        mouse(tab, ("mousePressed", at), ("mouseReleased", at))
        tab.until("document.querySelectorAll('.swatches button').length === 6", 90)
        before = tab.ask("document.querySelector('.samples').innerHTML")
        tab.ask("document.querySelectorAll('.swatches button')[2].click()")
        tab.until("document.querySelectorAll('.marks .point').length === 1", 90)
        tab.until(f"document.querySelector('.samples').innerHTML !== {before!r}", 90)
        tab.ask("scrollTo(0, 0)")
        height = int(tab.ask("document.documentElement.scrollHeight"))
        shot = Image.open(tab.shot(Path(scratch) / "page.png", 0, SCREEN["width"], height)).convert("RGB")
        shot.quantize(192, Image.Quantize.MEDIANCUT).save(Path(__file__).parent / "studio.png", optimize=True)


if __name__ == "__main__":
    main()
