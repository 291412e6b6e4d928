"""A command line, read: flags that Hydra's users know, paths with any name, errors in words, a quick help."""

import logging
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from colorization import __version__
from colorization.__main__ import COMMANDS
from colorization.command import command, command_request, errors_in_words
from colorization.config import DISTRIBUTION, EXPERIMENTS, ConfigError, InputError, command_line
from colorization.request import read
from tests import outside

ODD = ["a=b.jpg", "${HOME}.jpg", "b\\c.jpg", "-x.jpg", "~root", "model=unet", "it's [1], {2}.jpg"]


def asked(monkeypatch, capsys, *arguments: str, name: str = "train") -> str:
    """What a command prints that is asked for information alone."""
    monkeypatch.setattr(sys, "argv", [f"/bin/colorization-{name}", *arguments])
    with pytest.raises(SystemExit) as end:
        command_request(name, "Docs.")
    assert not end.value.code
    return capsys.readouterr().out


def test_the_configuration_is_printed(monkeypatch, capsys):
    said = asked(monkeypatch, capsys, "--cfg", "job", "model=cnn", "seed=3")
    assert yaml.safe_load(said)["data"]["seed"] == "${seed}"
    said = asked(monkeypatch, capsys, "model=cnn", "--cfg=job", "seed=3", "--resolve")
    cfg = yaml.safe_load(said)
    assert (cfg["data"]["seed"], cfg["name"]) == (3, "cnn_regression") and "hydra" not in cfg
    said = asked(monkeypatch, capsys, "--cfg", "job", "--package", "model", "model.width=8", "model=unet")
    assert yaml.safe_load(said)["width"] == 8
    assert "sweep" in yaml.safe_load(asked(monkeypatch, capsys, "-c", "hydra"))["hydra"]
    assert {"hydra", "model"} <= set(yaml.safe_load(asked(monkeypatch, capsys, "--cfg", "all")))


def test_flags_take_their_values(monkeypatch, capsys, tmp_path):
    code, conf = outside.write(tmp_path)
    monkeypatch.syspath_prepend(code)
    monkeypatch.setenv("COLORIZATION_CONF", "")
    said = asked(
        monkeypatch, capsys, "--config-dir", str(conf), "--cfg", "job", "--package", "model", "model=tiny"
    )
    assert yaml.safe_load(said)["_target_"] == "mylab.network.Tiny"
    assert os.environ["COLORIZATION_CONF"] == str(conf), "processes that are started from here search it, too"
    assert "tiny" in asked(monkeypatch, capsys, "--help")
    recorded = read("train", ["--config-dir", str(conf)]).overrides
    assert recorded == (f"hydra.searchpath=['{conf}']",), "what a run records finds it again"
    (conf / "mine.yaml").write_text("defaults: [train, _self_]\nseed: 5\n", encoding="utf-8")
    said = asked(monkeypatch, capsys, "--config-name", "mine", "--cfg", "job", "--package", "seed")
    assert said == "5\n"


@pytest.mark.parametrize("words", [("--info", "data=scenes"), ("--info", "defaults", "data=scenes"), ("-i",)])
def test_how_it_is_composed_is_printed(monkeypatch, capsys, words):
    said = asked(monkeypatch, capsys, *words)
    assert ("data/scenes" if "data=scenes" in words else "data/coco") in said


def test_a_shell_completes_options(monkeypatch, capsys):
    said = asked(monkeypatch, capsys, "--shell-completion", "install=bash")
    assert said.rstrip().endswith("hydra_bash_completion colorization-train")
    monkeypatch.setenv("COMP_LINE", "colorization-train optimizer=")
    assert asked(monkeypatch, capsys, "-sc", "query=bash").split() == [
        "optimizer=adadelta", "optimizer=adam", "optimizer=adamw", "optimizer=sgd",
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["colorization-train", "-sc"])
    with pytest.raises(ConfigError, match=r"--shell-completion install=bash"):
        command_request("train", "")


def test_version_and_flags_are_printed(monkeypatch, capsys):
    assert asked(monkeypatch, capsys, "--version").strip() == f"{DISTRIBUTION} {__version__}"
    assert "--config-dir" in asked(monkeypatch, capsys, "--hydra-help")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--foo"], "--foo: not a setting"),
        (["--cfg", "foo"], "invalid choice: 'foo'"),
        (["--cfg"], "expected one argument"),
        (["-cp", "conf"], "--config-dir DIR adds"),
        (["--experimental-rerun", "x"], "resume=RUN goes on"),
        (["--resolve"], "--cfg job prints"),
        (["photo.jpg"], "photo.jpg: not a setting"),
        (["--config-dir", "nowhere"], "nowhere: no such folder"),
        (["--config-name", "trian", "--cfg", "job"], "did you mean train?"),
        (["--cfg", "job", "--package", "modle"], "--package modle: no such part"),
    ],
)
def test_what_is_not_understood_is_told(monkeypatch, words, said):
    monkeypatch.setenv("COLORIZATION_CONF", "")
    monkeypatch.setattr(sys, "argv", ["train", *words])
    with pytest.raises(ConfigError, match=said):
        command_request("train", "")


def test_a_verbose_run_is_asked_for_as_of_hydra():
    assert read("train", ["hydra.verbose=true"]).verbose is True
    assert read("train", ["hydra.verbose=[a,b]"]).verbose == ["a", "b"]
    assert read("train", []).verbose is False
    assert read("train", ["hydra.mode=MULTIRUN"]).multirun and read("train", ["-m", "seed=1,2"]).multirun


def test_a_path_that_exists_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["predict", *ODD, "out=~/coloured", "~/missing.jpg", "samples=2"])
    monkeypatch.setenv("HOME", "/home/me")
    for name in ODD:
        Path(name).touch()
    seen = []

    @command("predict", "", positional="inputs")
    def main(cfg):
        seen.append(cfg)

    with pytest.raises(SystemExit, match="0"):
        main()
    assert [str(path) for path in seen[0].inputs] == [*ODD, "/home/me/missing.jpg"]
    assert (seen[0].out, seen[0].samples) == ("/home/me/coloured", 2)


def test_everything_after_two_dashes_is_a_path():
    asked = read("predict", ["seed=1", "--", "seed=2", "--help"], positional=True)
    assert asked.overrides == ("seed=1",) and list(map(str, asked.paths)) == ["seed=2", "--help"]


def test_a_sweep_is_of_train_alone(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["predict", "-m", "seed=1,2"])
    with pytest.raises(SystemExit, match="-m: only train runs sweeps"):
        command("predict", "")(print)()


@pytest.mark.parametrize(
    "argument", ["run=my runs/a,b", "run=a=b", "out='x'", "${HOME}", "x y", 3, Path("ü")]
)
def test_a_printed_command_is_what_was_meant(argument):
    assert shlex.split(command_line("predict", argument))[2:] == ["colorization.predict", str(argument)]


def test_a_mistake_is_a_sentence(monkeypatch):
    monkeypatch.delenv("COLORIZATION_TRACEBACK", raising=False)
    for error in (InputError("data.root=x: is empty"), FileNotFoundError("x")):
        with pytest.raises(SystemExit, match="x") as end, errors_in_words():
            raise error
        assert "\n" not in str(end.value)
    monkeypatch.setenv("COLORIZATION_TRACEBACK", "1")
    with pytest.raises(InputError), errors_in_words():
        raise InputError("data.root=x: is empty")


def test_an_error_in_somebodys_model_keeps_its_traceback_and_names_the_log(tmp_path):
    handler = logging.FileHandler(tmp_path / "train.log")
    logging.getLogger().addHandler(handler)
    with pytest.raises(ValueError, match="not enough values to unpack") as caught, errors_in_words():
        _, _ = [1]
    logging.getLogger().removeHandler(handler)
    assert f"log: {tmp_path / 'train.log'}" in caught.value.__notes__


@pytest.mark.parametrize("name", COMMANDS)
def test_help_does_not_wait_for_torch(name):
    """In a new interpreter: under two seconds of it, where importing PyTorch alone takes four and 600 MB."""
    code = (
        f"import sys; sys.argv = ['{name}', '--help']\n"
        f"from colorization.{name} import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "loaded = {'torch', 'pytorch_lightning', 'numpy', 'wandb', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(f'imported {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Settings (NAME=VALUE)" in done.stdout and "--config-dir" in done.stdout


def test_one_command_lists_and_runs_the_others(tmp_path):
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "colorization", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    said = run().stdout
    assert all(f"  {name} " in said for name in COMMANDS) and "Colour grey photos" in said
    assert "did you mean train?" in run("trian").stderr
    assert "inputs: []" in run("predict", "--help").stdout


def test_help_lists_the_experiments_with_their_questions(monkeypatch, capsys, tmp_path):
    said = asked(monkeypatch, capsys, "--help")
    for folder in sorted(EXPERIMENTS.glob("*/recipe.yaml")):
        text = folder.read_text(encoding="utf-8")
        first = re.search(r"# Question: +(.*)", text)[1]
        assert re.search(rf"^  {folder.parent.name} +{re.escape(first)}", said, re.MULTILINE)
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(
        "# Question: mine or\n#           yours?\nseed: 1\n", encoding="utf-8"
    )
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path))
    assert re.search(r"^  mine +mine or yours\?$", asked(monkeypatch, capsys, "--help"), re.MULTILINE)
