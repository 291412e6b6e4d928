"""The page, in Gradio: what is shown where, and which part of a sitting each control moves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr

from colorization.config import InputError
from colorization.desk.parts import data_uri, part, percent
from colorization.desk.sitting import Sitting, Studio
from colorization.hints.clicks import hexadecimal, write_clicks
from colorization.picture.writing import Writer

SAVE = "() => document.querySelector('#file').click()"
SWEPT = (60, 600)  # seconds: how often finished files are looked through, and how old they become

Value = dict[str, Any]
Change = Callable[[Sitting, Any], object]


class Page:
    """A studio's page.

    Args:
        studio: colours photos.
        writer: how they are written.
        folder: through which finished files go to the browser.
    """

    def __init__(self, studio: Studio, writer: Writer, folder: Path):
        self.studio, self.writer, self.folder = studio, writer, folder
        self.can = studio.can
        with gr.Blocks(title="colorization", analytics_enabled=False, delete_cache=SWEPT) as self.blocks:
            self._build()

    def _build(self) -> None:
        can = self.can
        sitting = gr.State()
        drop = gr.File(label="a photo", show_label=False, type="filepath", height=120)
        said = gr.Markdown("It stays on this computer.")
        with gr.Row(visible=False) as table:
            with gr.Column(scale=3, min_width=320):
                view = part("view")
            with gr.Column(scale=2, min_width=300):
                palette = part("palette", visible=not can.points)
                with gr.Row(visible=not can.points):
                    undo, clear = (
                        gr.Button(words, size="sm", min_width=90) for words in ("Undo", "Remove all")
                    )
                samples = part("samples", visible=not can.samples)
                vivid = gr.Slider(0, 1, 0, step=0.05, label="Vivid: 0 accurate, 1 as colourful as photos are",
                                  visible=not can.vivid)  # fmt: skip
                chroma = gr.Slider(0, 2, 1, step=0.05, label="Chroma, a factor")
                gr.Markdown("\n\n".join(filter(None, can)), visible=any(can))
                download = gr.Button("Download the photo", variant="primary")
                keep = gr.Button("Save clicks.json", visible=not can.points)
        file = gr.DownloadButton(visible="hidden", elem_id="file")

        def changes(
            event: Any, change: Callable[..., Any], *inputs: Any, name: str, then: bool = True
        ) -> None:
            """Let an event change the sitting, show it, and then the samples, which take longer."""
            done = event(change, [sitting, *inputs], [view, palette], show_progress="minimal", api_name=name)
            if then:
                small(done)

        def small(done: Any) -> None:
            done.success(self.samples, sitting, samples, show_progress="hidden", api_visibility="private")

        small(drop.upload(self.open, drop, [sitting, drop, said, table, view, palette, vivid, chroma]))
        changes(view.point, self.after(_ask), name="point", then=False)
        for name, event, change in (
            ("colour", palette.colour, lambda sitting, event: sitting.colour(event.color)),
            ("remove", palette.remove, lambda sitting, event: sitting.remove(event.number)),
            ("undo", undo.click, lambda sitting, event: sitting.undo()),
            ("clear", clear.click, lambda sitting, event: sitting.clear()),
            ("choose", samples.choose, lambda sitting, event: setattr(sitting, "chosen", event.number)),
        ):  # fmt: skip
            changes(event, self.after(change), name=name)
        for name, slider in (("vivid", vivid), ("chroma", chroma)):
            changes(slider.release, self.slid(name), slider, name=name)
        download.click(self.finished, sitting, file).success(None, js=SAVE)
        keep.click(self.saved, sitting, file).success(None, js=SAVE)

    def open(self, path: str) -> tuple[Any, ...]:
        """A photo on the table; its file is deleted once it is read."""
        source = Path(path)
        try:
            with said_aloud():
                sitting = self.studio.open(source)
        finally:
            source.unlink(missing_ok=True)
        width, height = sitting.original.size
        said = "; ".join([f"{source.name}, {width} x {height} pixels", *sitting.said])
        view, palette = self.shown(sitting)
        view |= {"grey": data_uri(sitting.grey()), "width": width, "height": height}
        sliders = gr.Slider(value=sitting.vivid or 0), gr.Slider(value=sitting.chroma)
        return sitting, None, said, gr.Row(visible=True), view, palette, *sliders

    def after(self, change: Change) -> Callable[..., tuple[Value, Value]]:
        """A handler that changes the sitting, and shows it."""

        def handler(sitting: Sitting | None, event: gr.EventData) -> tuple[Value, Value]:
            with said_aloud():
                change(_there(sitting), event)
                return self.shown(_there(sitting))

        return handler

    def slid(self, name: str) -> Callable[..., tuple[Value, Value]]:
        """A handler that sets what a slider sets, and shows it."""

        def handler(sitting: Sitting | None, value: float) -> tuple[Value, Value]:
            with said_aloud():
                setattr(_there(sitting), name, value)
                return self.shown(_there(sitting))

        return handler

    def shown(self, sitting: Sitting) -> tuple[Value, Value]:
        """The photo with its points, and the colours to choose from."""
        width, height = sitting.original.size
        points = [{"x": (c.x + 0.5) / width, "y": (c.y + 0.5) / height, "color": hexadecimal(c.color)}
                  for c in sitting.clicks]  # fmt: skip
        view = {"coloured": data_uri(sitting.coloured()), "points": points, "asks": not self.can.points}
        likely = [
            {"color": hexadecimal(one.rgb), "percent": percent(one.probability)} for one in sitting.suggested
        ]
        made = [{"x": round(c.x), "y": round(c.y), "color": hexadecimal(c.color)} for c in sitting.clicks]
        return view | {"asked": bool(sitting.at)}, {
            "likely": likely,
            "asked": bool(sitting.at),
            "clicks": made,
        }

    def samples(self, sitting: Sitting | None) -> list[Value]:
        """The one best and the samples, small."""
        if self.can.samples or not self.studio.samples:
            return []
        return [
            {"picture": data_uri(picture), "name": f"sample {number}" if number else "best",
             "chosen": str(number == _there(sitting).chosen).lower()}
            for number, picture in enumerate(_there(sitting).samples())
        ]  # fmt: skip

    def finished(self, sitting: Sitting | None) -> str:
        """The photo in full, as a file on its way to the browser."""
        sitting = _there(sitting)
        name = Path(sitting.name)
        path = self._fresh(f"{name.stem}_coloured{self.writer.suffix(name.suffix)}")
        with said_aloud():
            for words in self.writer.write(path, [sitting.finished()]):
                gr.Info(words)
        return str(path)

    def saved(self, sitting: Sitting | None) -> str:
        """Its points as clicks.json."""
        path = self._fresh("clicks.json")
        write_clicks(path, _there(sitting).clicks)
        return str(path)

    def _fresh(self, name: str) -> Path:
        return Path(mkdtemp(dir=self.folder)) / name


def _ask(sitting: Sitting, event: Any) -> None:
    width, height = sitting.original.size
    sitting.ask(min(int(event.x * width), width - 1), min(int(event.y * height), height - 1))


def _there(sitting: Sitting | None) -> Sitting:
    if sitting is None:
        raise gr.Error("the studio has forgotten this photo; drop it again", print_exception=False)
    return sitting


@contextmanager
def said_aloud() -> Iterator[None]:
    """A user's mistake, or a bad file, as a sentence on the page."""
    try:
        yield
    except (InputError, OSError) as error:
        raise gr.Error(str(error), print_exception=False) from error
