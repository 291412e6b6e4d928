"""The page of a sweep: what won, what mattered, what to type."""

import json
import re

import numpy as np
import pytest
import yaml
from omegaconf import OmegaConf

from colorization.compose import composed
from colorization.config import ConfigError
from colorization.journal import write_yaml
from colorization.trials import page as paging
from colorization.trials.record import is_sweep, scored_among, trials_of
from tests.made import scored_run
from tests.trials.made import Made, compose_quickly, conducted, finishes


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """A search in which the learning rate is all that matters."""
    monkeypatch.setattr("colorization.trials.conductor.PAUSE", 0.0)
    compose_quickly(monkeypatch)
    folder = tmp_path / "sweep"
    space = ("optimizer.lr=tag(log,interval(1e-4,1e-1))", "model.width=8,16")
    done = conducted(folder, Made(finishes(lambda cfg: 30 - (np.log10(cfg.optimizer.lr) + 2) ** 2)),
                     "search=random", "trials=30", *space)  # fmt: skip
    described = {d.name: d.described() for d in done.study.asked.space.dimensions}
    write_yaml(
        folder / "sweep.yaml", {"command": "train -m x", "watch": {"psnr": "higher"}, "space": described}
    )
    return folder


def test_what_matters_and_what_won(sweep):
    about = paging.summary(sweep)
    assert about["importance"]["optimizer.lr"] > 0.9 and sum(about["importance"].values()) == pytest.approx(1)
    best = max(trials_of(sweep), key=lambda trial: trial.values(["psnr"])[0])
    assert about["winner"] == best.name and about["best"] == [best.name]
    assert f"optimizer.lr={best.config().optimizer.lr}" in about["command"].replace("'", "")


def test_the_page_holds_all_of_it_and_needs_no_network(sweep):
    text = paging.page(sweep)
    data = json.loads(re.search(r"const D = (\{.*\});\n", text)[1].replace("<\\/", "</"))
    assert len(data["trials"]) == 30 and data["watched"] == ["psnr"]
    assert not re.search(r"(src|href)=[\"']?http", text)


def test_the_recipe_of_the_winner_composes_to_what_won(tmp_path):
    overrides = ["data=scenes", "model=cnn", "loss=[l1]", "optimizer.lr=0.003", "seed=2", "budget.steps=5"]
    text = paging.recipe(overrides, tmp_path / "sweep", {"name": "3_x"})
    assert text.startswith("# @package _global_\n# Question: ")
    (tmp_path / "conf/experiment").mkdir(parents=True)
    (tmp_path / "conf/experiment/won.yaml").write_text(text, encoding="utf-8")
    place = f"hydra.searchpath=['{tmp_path}/conf']"
    found = composed("train", [place, "experiment=won", "run.dir=x"])
    assert found == composed("train", [*overrides, "run.dir=x"])
    assert OmegaConf.create(yaml.safe_load(text)).optimizer.lr == 0.003


def test_the_pareto_set_is_that_of_brute_force():
    draw = np.random.default_rng(0)
    rows = [{"values": list(map(float, point))} for point in draw.integers(0, 6, (40, 2))]
    better = {"psnr": "higher", "ciede2000": "lower"}

    def beats(p, q):
        (a, b), (c, d) = p["values"], q["values"]
        return a >= c and b <= d and (a > c or b < d)

    expected = [row for row in rows if not any(beats(other, row) for other in rows)]
    assert paging.pareto(rows, better) == expected and expected


def test_pictures_of_the_best_beside_the_truth(tmp_path):
    runs = [(name, scored_run(tmp_path / name, pictures=20)) for name in ("one", "two")]
    shown = paging.pictures(runs)
    assert [row["name"] for row in shown] == ["truth", "one", "two"]
    assert len({len(row["images"]) for row in shown}) == 1 and len(shown[0]["images"]) == paging.PICTURES
    assert paging.pictures([("none", tmp_path / "nowhere")]) == []


def test_a_sweep_without_a_finished_trial_is_told(tmp_path):
    (tmp_path / "trials").mkdir()
    write_yaml(tmp_path / "sweep.yaml", {"command": "train -m x", "watch": {"psnr": "higher"}, "space": {}})
    with pytest.raises(ConfigError, match="no trial is finished yet; go on by train -m x"):
        paging.page(tmp_path)


def test_what_lies_beside_the_runs_of_a_sweep_is_left_out(tmp_path, caplog):
    (tmp_path / "trials").mkdir()
    write_yaml(tmp_path / "sweep.yaml", {})
    scored_run(tmp_path / "0_a", pictures=4)
    (tmp_path / "1_b").mkdir()
    (tmp_path / "1_b/run.json").write_text("{}", encoding="utf-8")
    assert is_sweep(tmp_path)
    assert scored_among([str(path) for path in sorted(tmp_path.iterdir())]) == [str(tmp_path / "0_a")]
    assert caplog.messages == ["left out, for they are not scored: 1_b"]
    assert scored_among(["wandb:me/x/1", "elsewhere"]) == ["wandb:me/x/1", "elsewhere"]
