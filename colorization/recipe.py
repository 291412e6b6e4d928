"""What the recipe of an experiment opens with: its question, command, hours and expectation."""

import re
from pathlib import Path

from colorization.config import EXPERIMENTS, folders, options


def opening(recipe: str) -> dict[str, list[str]]:
    """The lines of "Question", "Command", "Hours" and "Expected" of a recipe's text, each by its word."""
    lines: dict[str, list[str]] = {}
    for line in recipe.splitlines():
        if match := re.match(r"# (Question|Command|Hours|Expected): +(.*)", line):
            lines[match[1]] = [match[2].rstrip()]
        elif lines and re.match(r"# {5,}\S", line):
            lines[next(reversed(lines))].append(line.lstrip("# ").rstrip())
        elif lines and not line.startswith("#"):
            break
    return lines


def questions() -> dict[str, str]:
    """What each experiment asks, by its name; nothing where its file does not say."""
    asked = {name: opening(_file(name).read_text(encoding="utf-8")) for name in options("experiment")}
    return {name: " ".join(lines.get("Question", [])) for name, lines in asked.items()}


def _file(name: str) -> Path:
    """A recipe here, or a file of the user's own, which takes precedence."""
    own = [folder / "experiment" / f"{name}.yaml" for folder in folders()]
    return next((path for path in own if path.is_file()), EXPERIMENTS / name / "recipe.yaml")
