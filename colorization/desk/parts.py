"""Parts of the page that are this project's own, and what they show."""

import base64
import io
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

HERE = Path(__file__).parent
LOOKS = (HERE / "page.css").read_text(encoding="utf-8")


def part(name: str, value: Any = None) -> gr.HTML:
    """NAME.html, with NAME.css and NAME.js where they are, as a component; its value is plain data."""
    template, looks, script = (
        path.read_text(encoding="utf-8") if (path := HERE / f"{name}.{suffix}").exists() else ""
        for suffix in ("html", "css", "js")
    )
    return gr.HTML(value or {}, html_template=template, css_template=looks, js_on_load=script)


def percent(share: float) -> str:
    """A probability in words."""
    return f"{100 * share:.0f} %" if share >= 0.01 else "< 1 %"


def data_uri(picture: Image.Image) -> str:
    """A picture as the browser takes it, without a file."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
