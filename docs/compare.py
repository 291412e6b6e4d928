"""Draw docs/compare.png: python -m docs.compare runs/ONE runs/OTHER

The page that `compare` writes, opened in Chromium: its first pictures and its table.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from tests.browser import chromium

WIDTH = 1000
ROWS = 3  # of pictures
METRICS = "metrics=[psnr,ssim,ciede2000,colorfulness]"


def main() -> None:
    """Write the page, photograph its two parts, and stack them."""
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder)) as tab:
        out = Path(folder) / "compare.html"
        command = [sys.executable, "-m", "colorization.compare", *sys.argv[1:], METRICS, f"out={out}"]
        subprocess.run(command, check=True)
        tab.open(out, WIDTH, 900)
        edges = {  # the first and the last thing of each part
            "pictures": ("document.body", f"document.querySelectorAll('#grid .row')[{ROWS - 1}]"),
            "scores": (
                "document.querySelector('#scores').closest('section')",
                "document.querySelector('#scores')",
            ),
        }
        parts = []
        for name, (first, last) in edges.items():
            top = int(tab.ask(f"{first}.getBoundingClientRect().top + scrollY"))
            bottom = int(tab.ask(f"{last}.getBoundingClientRect().bottom + scrollY"))
            parts.append(Image.open(tab.shot(Path(folder) / f"{name}.png", top, WIDTH, bottom - top + 12)))
        sheet = Image.new("RGB", (WIDTH, sum(part.height for part in parts)))
        for i, part in enumerate(parts):
            sheet.paste(part, (0, sum(other.height for other in parts[:i])))
        sheet.quantize(192, Image.Quantize.MEDIANCUT).save("docs/compare.png", optimize=True)


if __name__ == "__main__":
    main()
