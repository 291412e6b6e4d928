"""A sweep as one self-contained HTML page: what was tried, what mattered, what won, what to type next."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import yaml

from colorization.config import ConfigError, command_line, groups
from colorization.files import TEXT
from colorization.logger.wandb import started
from colorization.trials.record import Trial, trials_of

TEMPLATE = Path(__file__).with_name("page.html")
SHOWN = 6  # trials whose pictures are shown, the best first
PICTURES = 8  # of each
LONGEST = 100  # points per curve


def page(sweep: Path) -> str:
    """The page: parallel coordinates, importance, slices, curves, the best trials' pictures, the winner."""
    text = json.dumps(summary(sweep), separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    return TEMPLATE.read_text(encoding="utf-8").replace("/*DATA*/null", text)


def summary(sweep: Path) -> dict[str, Any]:
    """All that the page shows, as plain data."""
    about = yaml.safe_load((sweep / "sweep.yaml").read_text(**TEXT))
    watched = list(about["watch"])
    rows = [row(trial, watched) for trial in trials_of(sweep)]
    finished = [r for r in rows if r["values"]]
    if not finished:
        raise ConfigError([f"{sweep}: no trial is finished yet; go on by {about['command']}"])
    order = sorted(finished, key=lambda r: losses(r["values"], about["watch"])[0])
    front = pareto(finished, about["watch"])
    shown = (front + [r for r in order if r not in front])[:SHOWN]
    winner = order[0]
    places = {trial.name: trial.folder for trial in trials_of(sweep)}
    return {
        "name": sweep.resolve().name,
        "about": about,
        "watched": watched,
        "trials": rows,
        "best": [r["name"] for r in front],
        "importance": importance(finished, about),
        "pictures": pictures([(r["name"], places[r["name"]]) for r in shown]),
        "winner": winner["name"],
        "command": command_line("train", *winner["overrides"]),
        "recipe": recipe(winner["overrides"], sweep, winner),
        "journal": f"optuna-dashboard {sweep / 'journal.log'}",
    }  # fmt: skip


def row(trial: Trial, watched: list[str]) -> dict[str, Any]:
    """One trial as the page lists it."""
    about, state = trial.about(), trial.state()
    curve = trial.curve(watched[0])
    failures = trial.notes()["failures"]
    return {
        "name": trial.name,
        "state": state,
        "params": about["params"],
        "overrides": [line for line in about["overrides"] if not line.startswith("hydra.")],
        "values": (trial.values(watched) if state == "finished" else None),
        "curve": [point for point in curve[:: max(len(curve) // LONGEST, 1)] if np.isfinite(point[1])],
        "pictures": curve[-1][0] if curve else 0,
        "failure": failures[-1]["reason"] if failures and state != "finished" else None,
    }


def losses(values: list[float], better: dict[str, str]) -> list[float]:
    """Values of which less is better."""
    return [-v if way == "higher" else v for v, way in zip(values, better.values(), strict=True)]


def pareto(rows: list[dict[str, Any]], better: dict[str, str]) -> list[dict[str, Any]]:
    """The rows that no other one beats in one number without being worse in another."""
    points = np.array([losses(r["values"], better) for r in rows])
    return [r for r, p in zip(rows, points, strict=True) if not _beaten(p, points)]


def _beaten(point: np.ndarray, points: np.ndarray) -> bool:
    return bool(((points <= point).all(1) & (points < point).any(1)).any())


def importance(rows: list[dict[str, Any]], about: dict[str, Any]) -> dict[str, float]:
    """The share of each setting in what makes a trial good (PED-ANOVA, Watanabe 2023, arXiv:2304.10255).

    Empty where too few trials are finished to tell.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize")
    space = {name: distribution(about["space"][name]) for name in about["space"]}
    for r in rows:
        loss = losses(r["values"], about["watch"])[0]
        if r["params"].keys() == space.keys() and all(fits(space[k], v) for k, v in r["params"].items()):
            study.add_trial(optuna.trial.create_trial(value=loss, params=r["params"], distributions=space))
    if len(study.trials) < 4 or len(space) < 2:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator()
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items() if np.isfinite(share)}


def distribution(described: Any) -> Any:
    """Optuna's distribution of a dimension as sweep.yaml says it."""
    if isinstance(described, list):
        return optuna.distributions.CategoricalDistribution(described)
    low, high, log = described["low"], described["high"], described["log"]
    if described["whole"]:
        return optuna.distributions.IntDistribution(low, high, log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


def fits(space: Any, value: Any) -> bool:
    """Whether a value is one of a distribution's; trials of an earlier question may have others."""
    try:
        return bool(space._contains(space.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False


def recipe(overrides: list[str], sweep: Path, winner: dict[str, Any]) -> str:
    """The winner as a recipe: experiments/NAME/recipe.yaml."""
    defaults: list[Any] = []
    settings: dict[str, Any] = {}
    for line in overrides:
        name, _, text = line.lstrip("+").partition("=")
        value = yaml.safe_load(text) if text else None
        if name == "experiment":
            defaults.insert(0, {"/experiment": value})
        elif name in groups("train"):
            defaults.append({f"override /{name}": value})
        else:
            *path, last = name.split(".")
            node = settings
            for part in path:
                node = node.setdefault(part, {})
            node[last] = value
    content = ({"defaults": [*defaults, "_self_"]} if defaults else {}) | settings
    command = command_line("train", "experiment=NAME")
    question = f"what is best in {sweep.resolve().name}? {winner['name']} was."
    head = f"# @package _global_\n# Question: {question}\n# Command:  {command}\n"
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def pictures(best: list[tuple[str, Path]]) -> list[dict[str, Any]]:
    """The same pictures as each of these trials colours them, and as they are: PNG data URLs."""
    places = [(name, next(iter(sorted(folder.glob("evaluation/*_test"))), None)) for name, folder in best]
    there = [(name, place) for name, place in places if place and (place / "predictions").is_dir()]
    if not there:
        return []
    files = sorted(path.name for path in (there[0][1] / "truth").glob("*.png"))
    files = [name for name in files if all((place / "predictions" / name).exists() for _, place in there)]
    files = files[:: max(len(files) // PICTURES, 1)][:PICTURES]
    columns = [("truth", there[0][1] / "truth"), *((name, place / "predictions") for name, place in there)]
    return [{"name": name, "images": [encoded(folder / file) for file in files]} for name, folder in columns]


def publish(sweep: Path, out: Path, project: str) -> str | None:
    """Log the table of trials and the page as a W&B run; its address when online."""
    import wandb

    about = summary(sweep)
    run = started(
        "auto", dir=out.parent, project=project, job_type="sweep", name=about["name"], group=about["name"]
    )
    space = list(about["about"]["space"])
    table = wandb.Table(["trial", "state", *space, *about["watched"], "pictures"])
    for r in about["trials"]:
        values = r["values"] or [None] * len(about["watched"])
        table.add_data(
            r["name"], r["state"], *(r["params"].get(name) for name in space), *values, r["pictures"]
        )
    shares = wandb.Table(["setting", "importance"], data=[list(item) for item in about["importance"].items()])
    run.log({"trials": table, "importance": shares, "page": wandb.Html(out.read_text(encoding="utf-8"))})
    address = None if run.offline else run.url
    run.finish()
    return address


def encoded(path: Path) -> str:
    """A picture as a data URL."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
