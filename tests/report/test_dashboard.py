"""Weights & Biases without a server: what goes there comes back, and a missing key is a sentence."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import wandb

from colorization.config import ConfigError
from colorization.logger.wandb import PICTURES, log_evaluation
from colorization.report.comparison import compare_runs
from colorization.report.dashboard import local_folder, publish
from colorization.report.page import page
from colorization.report.reading import read_runs
from colorization.report.samples import PERCENTILES
from tests.made import scored_run


class Server:
    """Stands in for a W&B run and for wandb.Api: keeps what is logged, gives it back."""

    def __init__(self, name):
        self.id, self.name, self.kept, self.logged = "abc123", name, [], {}

    def log(self, logged):
        self.logged |= logged

    def log_artifact(self, artifact):
        files = {path: entry.local_path for path, entry in artifact.manifest.entries.items()}
        self.kept.append(SimpleNamespace(type=artifact.type, download=lambda root: copied(files, Path(root))))

    def run(self, path):
        if path != f"me/colours/{self.id}":
            raise ValueError(f"no run {path}")
        return self

    def logged_artifacts(self):
        return self.kept


def copied(files, root):
    for path, source in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return scored_run(tmp_path / "mine", pictures=3 * PICTURES)


def test_a_run_that_was_sent_is_read_back(run):
    server = Server("mine")
    log_evaluation(server, run, run / "evaluation/made_test")
    (here,) = read_runs([str(run)])
    (there,) = read_runs([local_folder("wandb:me/colours/abc123", server)])
    assert there.name == "mine" and there.names == here.names and there.config == here.config
    assert there.curves == here.curves and there.summary == here.summary
    assert all((there.values[metric] == here.values[metric]).all() for metric in here.values)
    assert there.baselines.keys() == here.baselines.keys()
    text = page([here, there], compare_runs([here, there], resamples=50))
    assert text.count("data:image/jpeg") > 4 * 10, "the page shows the pictures that both have"


def test_the_table_has_pictures_to_look_at(run):
    server = Server("mine")
    log_evaluation(server, run, run / "evaluation/made_test")
    table = server.logged["evaluation/made_test"]
    assert len(table.data) == PICTURES and table.columns[:3] == ["name", "truth", "predicted"]
    assert isinstance(table.data[0][1], wandb.Image) and table.data[0][table.columns.index("psnr")] > 10


def test_without_a_key_it_says_what_to_type(tmp_path, monkeypatch):
    for name in ("WANDB_API_KEY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="type wandb login"):
        local_folder("wandb:me/colours/abc123")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("wandb:colours/abc123", "wandb:ENTITY/PROJECT/ID"),
        ("wandb:me/colours/other", "no run"),
        ("wandb:me/colours/abc123", "no evaluation"),
    ],
)
def test_what_cannot_be_read_is_named(path, said):
    with pytest.raises(ConfigError, match=said):
        local_folder(path, Server("mine"))


def test_a_comparison_is_logged_offline(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    runs = read_runs([str(run)])
    table = compare_runs(runs, resamples=50)
    out = tmp_path / "compare.html"
    out.write_text(page(runs, table), encoding="utf-8")
    assert publish(runs, table, out, "colours") is None
    media = {path.name.split("_")[0]: path for path in (tmp_path / "wandb").rglob("media/*/*")}
    assert {"means", "differences", "pictures", "page"} <= media.keys()
    shown = json.loads(media["pictures"].read_text(encoding="utf-8"))
    assert shown["columns"] == ["name", "grey", "mine", "truth"] and len(shown["data"]) == len(PERCENTILES)
    assert all(row[1:] == ["Image"] * 3 for row in shown["data"])
    assert len(json.loads(media["means"].read_text(encoding="utf-8"))["data"]) == len(table.cells)
