"""Automatic image colorization: every method a configuration, every number from one protocol.

    import colorization

    model = colorization.load()
    coloured = model(picture)

See docs/python.md. What is named here is imported when it is first used: `import colorization` is instant.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from colorization.colourist import Colourist as Colourist
    from colorization.colourist import load as load
    from colorization.config import InputError as InputError
    from colorization.measures import Score as Score
    from colorization.measures import Scores as Scores
    from colorization.objective.distribution import Likely as Likely

_HOMES = {
    "load": "colourist",
    "Colourist": "colourist",
    "Score": "measures",
    "Scores": "measures",
    "Likely": "objective.distribution",
    "InputError": "config",
}

__all__ = ["Colourist", "InputError", "Likely", "Score", "Scores", "__version__", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
