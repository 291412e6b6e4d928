"""How many pictures are scored: all, so many, or as many as the training is worth."""

from collections.abc import Callable, Mapping
from typing import Literal

from colorization.config import ConfigError

Wanted = int | Literal["auto"] | None

# One in so many of the pictures trained on is scored, and at least so many: a quick try is scored quickly.
SHARES = {"validate": (10, 32), "test": (4, 100)}
SECOND = 40  # pictures that a second of budget.time counts as


def amount(part: str, setting: Wanted, trained: Callable[[], float]) -> int | None:
    """How many pictures are scored at most, or None for all.

    Args:
        part: "validate" or "test".
        setting: the setting PART.pictures.
        trained: gives how many pictures the budget trains on.

    Raises:
        ConfigError: no number of pictures.
    """
    if setting == "auto":
        share, least = SHARES[part]
        return max(least, int(trained() / share))
    if setting is None or (isinstance(setting, int) and not isinstance(setting, bool) and setting > 0):
        return setting
    raise ConfigError([f"{part}.pictures={setting}: give a number from 1, null for all, or auto"])


def trained(limits: Mapping[str, float | None], training: Callable[[], int], batch: int) -> float:
    """About how many pictures a budget trains on.

    Args:
        limits: of epochs, steps, pictures and time in seconds.
        training: gives how many training pictures there are.
        batch: pictures per step.
    """
    worth: Mapping[str, Callable[[], float]] = {
        "epochs": training, "steps": lambda: batch, "pictures": lambda: 1, "time": lambda: SECOND,
    }  # fmt: skip
    return min(limit * worth[name]() for name, limit in limits.items() if limit is not None)
