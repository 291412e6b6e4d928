"""Several processes of one run: the first makes its folder, the others learn which it is.

Processes that Lightning starts read it from the environment; those of torchrun and srun, which start all at
once, from the store in which they meet anyway.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from colorization.config import ConfigError

VARIABLE = "COLORIZATION_RUN"
PATIENCE = timedelta(minutes=10)  # that the others wait for the first

_met: list[Any] = []  # the store stays open, for Lightning's processes meet in the same one


def is_first() -> bool:
    """Whether this process makes the run's folder."""
    environment = _cluster()
    return not is_inherited() and (environment is None or environment.global_rank() == 0)


@contextmanager
def telling() -> Iterator[Callable[[Path], None]]:
    """Give a function that tells the other processes the run's folder; if none is told, they end with 1."""
    environment = _cluster()
    world = environment.world_size() if environment else 1
    store = _store(environment) if world > 1 else None

    def tell(folder: Path) -> None:
        bequeath(folder)
        if store:
            store.set(_key(), str(folder.absolute()))

    try:
        yield tell
    except BaseException:
        if store:
            store.set(_key(), "")
            with suppress(RuntimeError):  # until they have heard: the store may lie in this process
                store.wait([_key(rank) for rank in range(1, world)])
        raise


def bequeath(folder: Path) -> None:
    """Let the processes that Lightning will start for further devices find the run's folder."""
    os.environ[VARIABLE] = str(folder.absolute())


def run_folder() -> Path:
    """The run's folder, in a process that is not the first."""
    if is_inherited():
        return Path(os.environ[VARIABLE])
    environment = _cluster()
    store = _store(environment)
    folder = store.get(_key()).decode()
    store.set(_key(environment.global_rank()), "heard")
    if not folder:
        raise SystemExit(1)
    return Path(folder)


def refuse_several(what: str) -> None:
    """Raise a ConfigError where torchrun or srun has started several processes."""
    environment = _cluster()
    if environment is not None and environment.world_size() > 1:
        raise ConfigError([f"{what}: start one process; each run starts its own by trainer.devices=N"])


def is_inherited() -> bool:
    """Whether Lightning has started this process, for a further device."""
    return VARIABLE in os.environ and os.environ.get("LOCAL_RANK", "0") != "0"


def _cluster() -> Any:
    """What says who this process is among those that torchrun or srun has started; None if neither did."""
    if not {"TORCHELASTIC_RUN_ID", "SLURM_NTASKS"} & os.environ.keys():
        return None
    from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment

    try:
        return next((kind() for kind in (TorchElasticEnvironment, SLURMEnvironment) if kind.detect()), None)
    except RuntimeError as error:  # SLURM's --ntasks without --ntasks-per-node
        raise ConfigError([str(error)]) from error


def _store(environment: Any) -> Any:
    from torch.distributed import rendezvous

    place = f"tcp://{environment.main_address}:{environment.main_port}"
    rank, world = environment.global_rank(), environment.world_size()
    _met.append(next(rendezvous(place, rank, world, timeout=PATIENCE))[0])
    return _met[-1]


def _key(rank: int | None = None) -> str:
    """Under which the folder stands, or that a rank has heard of it; another one after torchrun's restart."""
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return f"colorization/{attempt}/{'run' if rank is None else rank}"
