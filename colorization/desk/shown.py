"""What lies on the table, as plain data for the parts of the page."""

from typing import Any

from colorization.desk.parts import data_uri, percent
from colorization.desk.sitting import Sitting
from colorization.desk.table import Table
from colorization.hints.clicks import hexadecimal

Value = dict[str, Any]


def shown(table: Table) -> tuple[Value, Value]:
    """The photo with its points, and the colours to choose from."""
    sitting, points = table.now, table.now.points
    width, height = points.size
    beside = None if table.beside is None else table.under(table.beside)
    marks = [{"x": (c.x + 0.5) / width, "y": (c.y + 0.5) / height, "color": hexadecimal(c.color)}
             for c in points.clicks]  # fmt: skip
    view = {
        "table": table.number, "width": width, "height": height, "points": marks,
        "coloured": data_uri(sitting.coloured()),
        "beside": data_uri(beside.coloured() if beside else sitting.grey()),
        "left": sitting.studio.name if beside else "coloured",
        "right": beside.studio.name if beside else "grey",
        "asks": not sitting.studio.can.points, "asked": bool(points.at),
    }  # fmt: skip
    likely = [
        {"color": hexadecimal(one.rgb), "percent": percent(one.probability)} for one in sitting.suggested
    ]
    made = [{"x": round(c.x), "y": round(c.y), "color": hexadecimal(c.color)} for c in points.clicks]
    return view, {"likely": likely, "asked": bool(points.at), "clicks": made}


def small(sitting: Sitting) -> Value:
    """The one best and the samples, small; nothing where the network gives none."""
    if sitting.studio.can.samples or not sitting.studio.samples:
        return {}
    return {"samples": [
        {"picture": data_uri(picture), "name": f"sample {number}" if number else "best",
         "chosen": str(number == sitting.chosen).lower()}
        for number, picture in enumerate(sitting.samples())
    ]}  # fmt: skip
