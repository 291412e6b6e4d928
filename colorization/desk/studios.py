"""The networks that the studio's command line asks for."""

from omegaconf import DictConfig, ListConfig

from colorization.command import device
from colorization.config import ConfigError
from colorization.desk.sitting import Studio
from colorization.painter import Painter, network


def studios(cfg: DictConfig) -> list[Studio]:
    """One for each network of `run`, and one for `weights`; without either the newest run, else box.

    Raises:
        ConfigError: one is not what it should be, or is given twice.
    """
    runs = list(cfg.run) if isinstance(cfg.run, ListConfig) else [cfg.run] * bool(cfg.run or not cfg.weights)
    asked = [{"run": run, "weights": None} | ({"model": None} if cfg.weights else {}) for run in runs]
    asked += [{"run": None, "weights": cfg.weights}] * bool(cfg.weights)
    if not asked:
        raise ConfigError(["run=[]: name a network, or several, as in run=[box,runs/RUN]"])
    made = [_studio(DictConfig(dict(cfg) | one)) for one in asked]
    names = [studio.name for studio in made]
    if again := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError([f"run={cfg.run}: {again[0]} twice; their names are what tells networks apart"])
    return made


def _studio(cfg: DictConfig) -> Studio:
    name, trained_at, colorizer = network(cfg)
    colorizer.objective.decode(**cfg.decoding)
    size = trained_at if cfg.size == "auto" else cfg.size
    painter = Painter(colorizer.to(device(cfg.device)), size, seed=cfg.seed, gamut=cfg.gamut)
    return Studio(name, painter, cfg.samples)
