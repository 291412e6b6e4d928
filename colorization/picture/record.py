"""What a folder of coloured pictures was made of: what is made alike is not made again, and a page of it."""

import base64
import html
import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from PIL import Image

from colorization.files import TEXT, write_text

LINES, PAGE = "predict.jsonl", "report.html"


@dataclass(frozen=True)
class Entry:
    """One picture's line.

    Attributes:
        source: the file, as it was given.
        key: a digest of what it was made of and how.
        files: what was written, relative to the folder.
        said: what there is to know.
        fault: why nothing was written, or the empty string.
        before, after: small JPEGs, base64.
    """

    source: str
    key: str
    files: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    fault: str = ""
    before: str = ""
    after: str = ""


class Record:
    """The lines of a folder, one for each picture of this call and of those before.

    Args:
        out: the folder.
    """

    def __init__(self, out: Path):
        self.out = out
        self.entries: dict[str, Entry] = {}
        path = out / LINES
        if path.is_file():
            for line in path.read_text(**TEXT).splitlines():
                try:
                    entry = Entry(**json.loads(line))
                except (ValueError, TypeError):  # the last line of a call that was killed
                    continue
                self.entries[entry.source] = entry

    def has(self, source: str, key: str) -> bool:
        """Whether a picture was made in this way, and all that was written is there."""
        entry = self.entries.get(source)
        if entry is None or entry.key != key or entry.fault:
            return False
        return all((self.out / name).is_file() for name in entry.files)

    def add(self, entry: Entry) -> None:
        """Note a picture at once, so that nothing is lost when the call is stopped."""
        self.entries[entry.source] = entry
        self.out.mkdir(parents=True, exist_ok=True)
        with (self.out / LINES).open("a", **TEXT) as file:
            file.write(json.dumps(asdict(entry)) + "\n")

    def page(self, title: str) -> Path:
        """Write the page, and each picture's last line alone."""
        entries = self.entries.values()
        write_text(self.out / LINES, "".join(json.dumps(asdict(entry)) + "\n" for entry in entries))
        cards = "\n".join(_card(entry) for entry in sorted(entries, key=lambda e: (not e.fault, e.source)))
        write_text(self.out / PAGE, _PAGE.format(title=html.escape(title), cards=cards))
        return self.out / PAGE


def encoded(picture: Image.Image | None) -> str:
    """A small JPEG as text."""
    if picture is None:
        return ""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _card(entry: Entry) -> str:
    name = html.escape(entry.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    pictures = "".join(
        f'<img alt="{which}" src="data:image/jpeg;base64,{data}">'
        for which, data in (("before", entry.before), ("after", entry.after))
        if data
    )
    words = "".join(f"<p>{html.escape(text)}</p>" for text in [*entry.said, entry.fault] if text)
    kind = " class=fault" if entry.fault else ""
    return f"<figure{kind}><div>{pictures}</div><figcaption>{name}{words}</figcaption></figure>"


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; background: #181818; color: #ddd }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 26rem), 1fr)); gap: 1rem }}
figure {{ margin: 0; background: #222; padding: .6rem; border-radius: 6px }}
figure div {{ display: grid; grid-template-columns: 1fr 1fr; gap: 4px }}
img {{ width: 100%; display: block }}
figcaption {{ overflow-wrap: anywhere; padding-top: .4rem }}
figcaption p {{ margin: .2rem 0 0; color: #e3b341 }}
.fault {{ outline: 1px solid #b62324 }}
</style>
<h1>{title}</h1>
<p>Before | after. Colour is a model's guess; lightness is the original's.</p>
<main>
{cards}
</main></html>
"""
