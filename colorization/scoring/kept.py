"""Numbers of floors and ceilings that were measured before: they depend on pictures and code, on no run."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import torch

import colorization
from colorization.files import replaced
from colorization.metric.base import Metric
from colorization.protocol import Measure, Protocol
from colorization.scorer import Part

PACKAGE = Path(colorization.__file__).parent


@dataclass(frozen=True)
class Kept:
    """Where numbers are kept, and of what they are.

    Args:
        folder: beside the packs of the pictures.
        key: digest of all that the numbers depend on; see `digest`.
    """

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.key}.pt"

    def read(self) -> dict[str, Part]:
        """Numbers by the name of the floor or ceiling; none where nothing is kept, or its file is damaged."""
        try:
            found: dict[str, Part] = torch.load(self.path, map_location="cpu", weights_only=True)
        except Exception:  # whatever is wrong with it: measured again, the file is replaced
            return {}
        return found

    def write(self, parts: Mapping[str, Part]) -> None:
        """Keep them, where there is room; without them the next evaluation takes longer, no more."""
        try:
            with replaced(self.path) as partial:
                torch.save(dict(parts), partial)
        except (OSError, RuntimeError):
            return


def digest(protocol: Protocol, measures: Mapping[str, Measure], *more: Any) -> str | None:
    """Digest of a protocol, of what is measured, of more plain data, and of the code that measures.

    None where a metric is somebody else's, whose code may change without a trace here.
    """
    described = {name: _described(measure) for name, measure in measures.items()}
    if any(module.partition(".")[0] != "colorization" for module, *_ in described.values()):
        return None
    scalars = [(field.name, getattr(protocol, field.name)) for field in fields(protocol)]
    scalars = [(name, value) for name, value in scalars if not isinstance(value, Mapping)]
    content = repr([_code(), torch.__version__, scalars, sorted(described.items()), more])
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _described(measure: Measure) -> tuple[str, str, list[Any]]:
    """The module and name of what measures, and its plain settings."""
    made = measure.function if isinstance(measure, Metric) else measure
    kind = made if hasattr(made, "__qualname__") else type(made)
    settings = [item for item in sorted(vars(made).items()) if isinstance(item[1], str | int | float)]
    return kind.__module__, kind.__qualname__, settings


@cache
def _code() -> str:
    """Digest of this package's source files."""
    content = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()
