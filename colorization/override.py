"""A word of a command line, NAME=VALUE, as Hydra's grammar reads it, or as text where it is beyond that."""

import os
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.errors import HydraException

from colorization.config import ConfigError, options
from colorization.loader import loader

# Settings that are paths: taken letter by letter, and a leading ~ is the home folder.
# data.cache_dir is expanded where it is used, so that a run's configuration means the same to others.
PATHS = (
    *("inputs", "runs", "studies", "out", "run", "run.dir", "start", "resume", "weights", "predictions"),
    *("reference", "record", "stream", "hints", "photos", "data.root", "data.val_root", "protocol.manifest"),
)


def expanded(path: str) -> str:
    """A path with the home folder in place of a leading ~; a URL as it stands."""
    return os.path.expanduser(path)  # noqa: PTH111 (Path makes s3:/ of s3://, and fails for ~nobody)


def quoted(text: str) -> str:
    """Text as Hydra's grammar writes it, whatever it holds."""
    escaped = re.sub(r"(\\*)('|$)", lambda end: 2 * end[1] + end[2].replace("'", "\\'"), text)
    return f"'{escaped}'"


def read_override(line: str, sweep: bool = False) -> Override:
    """Hydra's reading; a path, and a value beyond its grammar as Fotos (alt), is text as it stands."""
    parser = OverridesParser.create()
    name, _, value = line.partition("=")
    text = f"{name}={quoted(value)}"
    if name in PATHS and not sweep and value not in ("", "null") and value[0] not in "['\"":
        return parser.parse_override(text)
    try:
        read = parser.parse_override(line)
    except HydraException:
        if sweep and "," in value:
            text = f"{name}={','.join(map(quoted, value.split(',')))}"
        try:
            return parser.parse_override(text)
        except HydraException:
            return parser.parse_override(line)  # whose error says what is wrong
    if read.is_sweep_override() and not sweep:
        several = f"{name}=[A,B] is a list, {name}='\"A,B\"' is text, train -m {line} is a sweep"
        raise ConfigError([f"{line}: several values; {several}"])
    return read


def alternatives(overrides: Sequence[str]) -> dict[str, list[str]]:
    """For each setting of a sweep the overrides to try; the last word on a setting counts, as in Hydra.

    Raises:
        ConfigError: for an interval, which has no list of values.
    """
    lists: dict[str, list[str]] = {}
    for line in overrides:
        override = read_override(line, sweep=True)
        if override.value_type is ValueType.INTERVAL_SWEEP:
            name = override.get_key_element()
            remedy = f"give some, {name}=A,B,C or {name}=range(FROM,TO,STEP), or search=tpe trials=N"
            raise ConfigError([f"{line}: an interval has no list of values to try; {remedy}"])
        override.config_loader = loader() if "glob(" in line else None
        key = override.get_key_element()
        if not override.is_sweep_override():
            lists[key] = [line]
        elif values := list(override.sweep_string_iterator()):
            lists[key] = [f"{key}={value}" for value in values]
        else:
            raise ConfigError([f"{line}: matches none of {', '.join(options(override.key_or_group))}"])
    return lists
