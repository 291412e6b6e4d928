"""What mkdocs is told beside mkdocs.yml: pages that are generated, and links to files outside docs/."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from mkdocs.structure.files import File, Files

from colorization.config import CONF, groups, options

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["CONTRIBUTING.md", "CHANGELOG.md", "colorization/weights/box.md"]
SHIM = "https://unpkg.com/iframe-worker/shim"
COMMANDS = (
    "train",
    "evaluate",
    "predict",
    "graft",
    "compare",
    "prepare",
    "convert",
    "export",
    "studio",
    "reproduce",
    "sweep",
    "status",
)
SETTINGS = """# Every setting

A setting is written `NAME=VALUE` after a command. `GROUP=NAME` chooses an option, a file
`conf/GROUP/NAME.yaml`, whose own settings are then `GROUP.SETTING=VALUE`. This page is made from those files
and from the constructors that take them.

## Commands"""
LINK = re.compile(r"(!?)\[([^\]\n]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the settings, the recorded studies, and what else the documents link to."""
    studies = sorted((ROOT / "experiments").glob("*/README.md"))
    generated = {"settings.md": settings(), "experiments/index.md": listed(studies)}
    for place, text in generated.items():
        files.append(File.generated(config, place, content=text))
    for path in [*(ROOT / page for page in PAGES), *studies]:
        _add(files, config, path)
    for document in [*(ROOT / page for page in PAGES), *studies, *sorted((ROOT / "docs").glob("*.md"))]:
        for target in linked(document):
            _add(files, config, target)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links at where files lie in the site."""
    source = page.file.src_uri
    here = ROOT / "docs" / source if (ROOT / "docs" / source).exists() else ROOT / source

    def moved(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups(default="")
        if (found := resolved(here, target)) is None:
            return match[0]
        place = os.path.relpath(site_place(found), Path(source).parent)
        return f"{image}[{text}]({Path(place).as_posix()}{anchor})"

    return LINK.sub(moved, markdown)


def on_post_build(config: Any) -> None:
    """Let no page ask the network: opened as a file, the theme would fetch a helper for its search."""
    for script in Path(config.site_dir).glob("assets/javascripts/bundle.*.min.js"):
        text = script.read_text(encoding="utf-8")
        script.write_text(text.replace(SHIM, "data:text/javascript,"), encoding="utf-8")


def linked(document: Path) -> Iterator[Path]:
    """The files of this project that a document links to."""
    for _, _, target, _ in LINK.findall(document.read_text(encoding="utf-8")):
        if (found := resolved(document, target)) is not None:
            yield found


def resolved(document: Path, target: str) -> Path | None:
    """The file that a link leads to: of a folder its README.md, else its recipe, else the list of studies."""
    path = (document.parent / target).resolve()
    if not path.is_relative_to(ROOT) or not path.exists():
        return None
    if not path.is_dir():
        return path
    inside = [path / "README.md", path / "recipe.yaml"]
    return next((file for file in inside if file.is_file()), ROOT / "docs/experiments/index.md")


def site_place(path: Path) -> str:
    """Where a file of the project lies in the site: docs/ is its root."""
    relative = path.relative_to(ROOT)
    return relative.relative_to("docs").as_posix() if relative.parts[0] == "docs" else relative.as_posix()


def settings() -> str:
    """Every setting: of each command its YAML, of each option of a group its YAML and its constructor."""
    parts = [SETTINGS]
    parts += [f"### {name}\n\n{_fenced(CONF / f'{name}.yaml')}" for name in COMMANDS]
    told: set[str] = set()
    names = sorted({group for command in COMMANDS for group in groups(command)} - {"experiment"})
    for group in names:
        parts.append(f"## {group}")
        for option in options(group):
            parts.append(f"### {group}={option}\n\n{_fenced(CONF / group / f'{option}.yaml')}")
            for target in _targets(CONF / group / f"{option}.yaml"):
                if target not in told:
                    told.add(target)
                    parts.append(f"::: {target}\n    options:\n      heading_level: 4")
    return "\n\n".join(parts) + "\n"


def listed(studies: list[Path]) -> str:
    """A page that links to every recorded study, with the question that its recipe asks."""
    lines = ["# Recorded studies\n", "Each has a recipe, its numbers with intervals, and what made them.\n"]
    for study in studies:
        recipe = study.with_name("recipe.yaml")
        first = recipe.read_text(encoding="utf-8").splitlines()[0] if recipe.exists() else ""
        lines.append(
            f"- [{study.parent.name}]({study.parent.name}/README.md): {first.removeprefix('# Question: ')}"
        )
    return "\n".join(lines) + "\n"


def _add(files: Files, config: Any, path: Path) -> None:
    place = site_place(path)
    if files.get_file_from_path(place) is None and path.is_file():
        files.append(File.generated(config, place, abs_src_path=str(path)))


def _fenced(path: Path) -> str:
    return f"```yaml\n{path.read_text(encoding='utf-8').strip()}\n```"


def _targets(path: Path) -> Iterator[str]:
    """The classes and functions of this package that a file names."""

    def inside(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if str(node.get("_target_", "")).startswith("colorization."):
                yield node["_target_"]
            for value in node.values():
                yield from inside(value)

    yield from inside(yaml.safe_load(path.read_text(encoding="utf-8")))
