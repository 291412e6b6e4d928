"""The page, in Gradio: what is shown where, and which answer each control asks for."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from colorization.desk.answers import GREY, Answers
from colorization.desk.parts import part

SAVE = "() => document.querySelector('#file').click()"
SWEPT = (60, 600)  # seconds: how often finished files are looked through, and how old they become


def page(answers: Answers) -> gr.Blocks:
    """The page of a studio, or of several."""
    names = [studio.name for studio in answers.studios]
    with gr.Blocks(title="colorization", analytics_enabled=False, delete_cache=SWEPT) as blocks:
        table = gr.State()
        drop = gr.File(label="a photo, several, or a zip", show_label=False, type="filepath",
                       file_count="multiple", height=130)  # fmt: skip
        said = part("said", {"lines": ["A photo, several, or a zip of them. It stays on this computer."]})
        with gr.Row(visible=False) as work:
            with gr.Column(scale=3, min_width=320):
                view = part("view")
            with gr.Column(scale=2, min_width=300):
                with gr.Group(visible=len(names) > 1):
                    model = gr.Radio(
                        list(zip(names, range(len(names)), strict=True)), value=0, label="Coloured by"
                    )
                    choices = [*zip(names, range(len(names)), strict=True), ("grey", GREY)]
                    beside = gr.Radio(choices, value=1 if len(names) > 1 else GREY, label="Beside it")
                palette = part("palette")
                with gr.Row() as back:
                    undo, clear = (
                        gr.Button(words, size="sm", min_width=90) for words in ("Undo", "Remove all")
                    )
                samples = part("samples")
                vivid = gr.Slider(0, 1, 0, step=0.05, label="Vivid: 0 accurate, 1 as colourful as photos are")
                chroma = gr.Slider(0, 2, 1, step=0.05, label="Chroma, a factor")
                cannot = part("said")
                download = gr.Button("Download the photo", variant="primary")
                every = gr.Button(visible=False)
                with gr.Row() as points:
                    keep = gr.Button("Save clicks.json", size="sm", min_width=120)
                    load = gr.UploadButton("Load clicks.json", size="sm", min_width=120, file_types=[".json"])
        file = gr.DownloadButton(visible="hidden", elem_id="file")
        told: dict[str, Any] = {
            "show_progress": "minimal",
            "show_progress_on": said,
        }  # Gradio marks errors there, too
        fitted = [model, beside, view, palette, back, points, vivid, chroma, cannot]

        def changes(
            event: Any,
            answer: Callable[..., Any],
            *inputs: Any,
            name: str,
            then: bool = True,
            outputs: Any = None,
        ) -> None:
            """Let an event change the table, show it, and then the samples, which take longer."""
            outputs = outputs or [view, palette]
            done = event(answer, [table, *inputs], outputs, api_name=name, **told)
            if then:
                small(done)

        def small(done: Any) -> None:
            done.success(answers.samples, table, samples, show_progress="hidden", api_visibility="private")

        opened = drop.upload(answers.open, drop, [table, drop, said, work, every, *fitted], **told)
        opened.failure(lambda: None, None, drop, show_progress="hidden", api_visibility="private")
        small(opened)
        changes(view.point, answers.after(_ask), name="point", then=False)
        for name, event, change in (
            ("colour", palette.colour, lambda table, event: table.now.points.colour(event.color)),
            ("remove", palette.remove, lambda table, event: table.now.points.remove(event.number)),
            ("undo", undo.click, lambda table, event: table.now.points.undo()),
            ("clear", clear.click, lambda table, event: table.now.points.clear()),
            ("choose", samples.choose, lambda table, event: setattr(table.now, "chosen", event.number)),
        ):  # fmt: skip
            changes(event, answers.after(change), name=name)
        for name, slider in (("vivid", vivid), ("chroma", chroma)):
            changes(slider.release, answers.slid(name), slider, name=name)
        changes(load.upload, answers.load, load, name="load")
        changes(model.input, answers.chosen, model, name="model", outputs=fitted)
        changes(beside.input, answers.beside, beside, name="beside", then=False, outputs=[view, palette])
        download.click(answers.finished, table, file, **told).success(None, js=SAVE)
        every.click(answers.all, table, [file, said], show_progress="hidden").success(None, js=SAVE)
        keep.click(answers.saved, table, file, **told).success(None, js=SAVE)
    return blocks


def _ask(table: Any, event: Any) -> None:
    points = table.now.points
    width, height = points.size
    points.ask(min(int(event.x * width), width - 1), min(int(event.y * height), height - 1))
    table.now.look()
