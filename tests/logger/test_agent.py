"""W&B's agent starts trials of its own sweeps: by its own code, without a server."""

import json
import os
import shlex
import subprocess

import pytest
import yaml

from colorization.compose import composed
from colorization.config import EXPERIMENTS
from colorization.logger.wandb import Wandb
from colorization.request import read
from tests.conftest import ROOT

launch = pytest.importorskip("wandb.sdk.launch.sweeps.utils")
PARAMETERS = {"optimizer.lr": {"value": 0.003}, "model.width": {"value": 8}, "seed": {"value": 0}}


def agents_command(command, program, parameters):
    """The command line that W&B's agent runs, built by its own functions and by its documented rules."""
    arguments = launch.create_sweep_command_args({"args": parameters})
    documented = [f"{name}={entry['value']}" for name, entry in parameters.items()]
    assert arguments["args_no_hyphens"] == documented
    words = []
    for word in launch.create_sweep_command(command):
        macros = {
            "${env}": ["/usr/bin/env"], "${program}": [program], "${interpreter}": ["python"],
            "${args_no_hyphens}": documented, "${args}": [f"--{line}" for line in documented],
        }  # fmt: skip
        words += macros.get(word, [word])
    return words


def test_the_sweep_that_is_shipped_starts_a_run_and_goes_into_its_own(tmp_path, small):
    """As the agent does: its command line, with the run that it has made in the environment."""
    sweep = yaml.safe_load((EXPERIMENTS / "sweep_wandb/sweep.yaml").read_text(encoding="utf-8"))
    assert set(sweep["parameters"]) == set(PARAMETERS)
    words = agents_command(sweep["command"], sweep["program"], PARAMETERS)
    assert words[:5] == ["/usr/bin/env", "python", "-m", "colorization.train", "data=scenes"]
    settings = [word for word in words[4:] if "=" in word]
    cfg = composed("train", settings)
    assert (cfg.optimizer.lr, cfg.model.width, cfg.budget.pictures) == (0.003, 8, 20000)
    fewer = [
        "data.pictures=64", "data.val_pictures=16", "data.test_pictures=16", "data.image_size=32",
        f"data.cache_dir={tmp_path}/cache", "data.batch_size=8", "model.depth=1", "budget.pictures=16",
        "metric=[psnr]", "callback=[]", "trainer.accelerator=cpu", "logger.mode=offline", "test.pictures=4",
    ]  # fmt: skip
    here = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HOME": str(tmp_path),
                         "WANDB_SWEEP_ID": "sweep123", "WANDB_RUN_ID": "agentrun"}  # fmt: skip
    line = [word.replace("python", os.sys.executable, 1) if word == "python" else word for word in words]
    done = subprocess.run(
        [*line, *fewer], cwd=tmp_path, env=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, shlex.join(line) + done.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["wandb_id"] == "agentrun"
    assert [path.name.rpartition("-")[2] for path in run.glob("wandb/offline-run-*")] == ["agentrun"]


def test_the_default_form_of_its_arguments_is_understood():
    words = agents_command(["${env}", "${interpreter}", "${program}", "${args}"], "train.py", PARAMETERS)
    asked = read("train", words[3:])
    assert asked.overrides == ("optimizer.lr=0.003", "model.width=8", "seed=0")


def test_only_an_agent_gives_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "mine")
    monkeypatch.delenv("WANDB_SWEEP_ID", raising=False)
    assert Wandb(tmp_path, dict).run_id != "mine"
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    assert Wandb(tmp_path, dict).run_id == "mine"
    assert Wandb(tmp_path, dict, run_id="resumed").run_id == "resumed"


def test_training_goes_on_without_the_process_of_wandb(tmp_path, caplog):
    """A cluster that ends a job signals all of its processes; the run still has a checkpoint to write."""
    told = []

    class Gone:
        def log(self, metrics):
            told.append(metrics)
            raise ConnectionResetError("Connection lost")

        def finish(self):
            raise AssertionError

    board = Wandb(tmp_path, lambda: {"step": 1})
    board._experiment = Gone()
    board.log_metrics({"loss": 1.0})
    board.log_metrics({"loss": 2.0})
    board.close()
    assert len(told) == 1 and "W&B's process is gone (Connection lost)" in caplog.text
