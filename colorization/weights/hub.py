"""Networks on the Hugging Face hub: hf://OWNER/NAME.

A repository holds MODEL, a file as `weights.file` writes it, README.md, its card, and whatever else was
exported. The hub's own settings count: HF_TOKEN, HF_HOME, HF_HUB_OFFLINE, HF_ENDPOINT.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from colorization.config import ConfigError

SCHEME = "hf://"
MODEL = "model.safetensors"
CARD = "README.md"
NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_address(place: str) -> bool:
    """Whether a run is named by an address on the hub."""
    return place.startswith(SCHEME)


def repository(address: str, setting: str) -> tuple[str, str | None]:
    """OWNER/NAME or OWNER/NAME@REVISION, with or without hf://, as the repository and its revision.

    Raises:
        ConfigError: it is neither.
    """
    name, _, revision = address.removeprefix(SCHEME).partition("@")
    if not NAME.fullmatch(name):
        raise ConfigError([f"{setting}={address}: should be OWNER/NAME, such as {SCHEME}me/my-colours"])
    return name, revision or None


def fetched(address: str) -> Path:
    """A repository's MODEL in the hub's cache; downloaded where it is not there or has changed.

    Raises:
        ConfigError: there is no such repository, no such file in it, or no way to it.
    """
    from huggingface_hub import hf_hub_download

    name, revision = repository(address, "run")
    try:
        return Path(hf_hub_download(name, MODEL, revision=revision))
    except Exception as error:  # the hub's, the network's, and those of the library in between
        raise ConfigError([f"run={address}: {_words(error, name)}"]) from error


def push(name: str, files: Mapping[str, Path], card: str, private: bool) -> str:
    """Make or update a repository in one commit.

    Args:
        name: OWNER/NAME.
        files: what it is to hold, by the name that it has there.
        card: the text of README.md.
        private: whether a new repository is seen by its owner alone.

    Returns:
        The address of the commit.

    Raises:
        ConfigError: the hub refuses it, or there is no way to it.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    added = [CommitOperationAdd(path, str(file)) for path, file in files.items()]
    added.append(CommitOperationAdd(CARD, card.encode()))
    try:
        api = HfApi()
        api.create_repo(name, private=private, exist_ok=True)
        return str(api.create_commit(name, added, commit_message="Pushed by colorization").commit_url)
    except Exception as error:
        raise ConfigError([f"push={name}: {_words(error, name)}"]) from error


def _words(error: Exception, name: str) -> str:
    """What went wrong, and what to do."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) and not isinstance(error, RepositoryNotFoundError):
        return "the hub wants a token that may do this; type hf auth login, or set HF_TOKEN"
    if isinstance(error, RepositoryNotFoundError):
        return f"there is no {name} on the hub, or it is private; for a private one set HF_TOKEN"
    if isinstance(error, EntryNotFoundError) and status is not None:
        return f"{name} holds no {MODEL}: it was not pushed by colorization"
    if isinstance(error, HfHubHTTPError) and status is not None:
        return f"the hub answered {status}: {str(error).splitlines()[0]}"
    return f"no way to the hub ({type(error).__name__}), and no copy of it here; is there a network?"
