"""Commands as a user types them, without the ten seconds that importing PyTorch takes each time.

A server process imports everything once; each command is a fork of it, in a folder, with an environment and
with outputs of its own. What Python reads as it starts (PYTHONPATH, a locale) needs a new interpreter.
"""

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).parent.parent
IMPORTED = ("training", "sweep", "evaluation", "painter", "packs", "reproduction", "released", "report.page")
Done = subprocess.CompletedProcess[str]


def command(name: str, *arguments: object, cwd: Path, timeout: float = 300, **environment: str) -> Done:
    """Run `python -m colorization.NAME ARGUMENTS...` in a folder that is also HOME."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("WANDB")}
    variables |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160", "OMP_NUM_THREADS": "1", "HOME": str(cwd)}
    variables |= environment
    words = [sys.executable, "-m", f"colorization.{name}", *map(str, arguments)]
    if any(key.startswith(("PYTHON", "LC_", "LANG")) for key in environment):
        return subprocess.run(
            words, cwd=cwd, env=variables, capture_output=True, text=True, timeout=timeout, check=False
        )
    return _forked(name, words, cwd, variables, timeout)


def together(target: Callable[..., None], *arguments: object, count: int = 2) -> None:
    """Run target(rank, *arguments) in so many processes at once, all of which must end well."""
    children = [_server().Process(target=target, args=(rank, *arguments)) for rank in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join(300)
    assert [child.exitcode for child in children] == [0] * count


def _forked(name: str, words: list[str], cwd: Path, variables: dict[str, str], timeout: float) -> Done:
    with tempfile.TemporaryDirectory() as scratch:
        outputs = [Path(scratch) / "stdout", Path(scratch) / "stderr"]
        child = _server().Process(target=_run, args=(name, words[3:], cwd, variables, outputs))
        child.start()
        child.join(timeout)
        if child.is_alive():
            child.kill()
            raise subprocess.TimeoutExpired(words, timeout)
        said, errors = (path.read_text(encoding="utf-8") for path in outputs)
    assert child.exitcode is not None
    return subprocess.CompletedProcess(words, child.exitcode, said, errors)


def _server() -> multiprocessing.context.ForkServerContext:
    """The server, started by the first command."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *(f"colorization.{name}" for name in IMPORTED)])
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}):
        forkserver.ensure_running()
    return context


def _run(name: str, arguments: list[str], cwd: Path, variables: dict[str, str], outputs: list[Path]) -> None:
    """In the fork: make it what a new interpreter would be, and run the command."""
    for path, stream in zip(outputs, (sys.stdout, sys.stderr), strict=True):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(variables)
    multiprocessing.set_start_method("fork", force=True)
    module = importlib.import_module(f"colorization.{name}")
    sys.modules["__main__"].__spec__ = module.__spec__  # processes of a group are started by this name
    sys.argv = [str(module.__file__), *arguments]
    module.main()
