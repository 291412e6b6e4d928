"""A network as one small file: what is kept, what is lost, where it is found."""

import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from colorization.config import ConfigError
from colorization.reopen import open_run
from tests.commands import command as run_command


@pytest.fixture
def small_file(trained, tmp_path):
    done = run_command("convert", f"run={trained}", f"out={tmp_path / 'mine.safetensors'}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path / "mine.safetensors"


def test_a_run_as_a_small_file_colours_as_the_run(trained, small_file):
    whole, small = open_run(trained).colorizer(), open_run(small_file).colorizer()
    L = 100 * torch.rand(2, 1, 40, 33)
    with torch.no_grad():
        torch.testing.assert_close(small(L), whole(L), atol=0.1, rtol=0.01)
    assert small.objective.vividness == whole.objective.vividness is not None
    checkpoint = open_run(trained).checkpoint
    assert small_file.stat().st_size < 0.3 * checkpoint.stat().st_size
    assert open_run(small_file).name == "mine"


def test_it_says_what_made_it_and_nothing_of_the_machine(trained, small_file):
    with safe_open(small_file, framework="pt") as opened:
        record = json.loads(opened.metadata()["colorization"])
    assert record["git"] == open_run(trained).state["colorization"]["git"]
    assert record["config"]["data"] == {"image_size": 32}
    assert str(trained.parent) not in json.dumps(record)


def test_predict_shows_it_the_size_that_it_is_best_at(trained, tmp_path):
    out = tmp_path / "best.safetensors"
    done = run_command("convert", f"run={trained}", f"out={out}", "size=40", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert open_run(out).config.data.image_size == 40


def test_it_needs_pictures_to_be_scored_on(small_file, tmp_path):
    done = run_command("evaluate", f"run={small_file}", cwd=tmp_path)
    assert done.returncode and "data=folder data.root=PHOTOS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["nothing", "other tensors"])
def test_another_file_is_refused(content, tmp_path):
    path = tmp_path / "other.safetensors"
    if content == "nothing":
        path.write_bytes(b"")
    else:
        save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ConfigError, match=r"other\.safetensors: not a checkpoint"):
        open_run(path)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to convert"),
        (["run=a", "weights=b"], "give one of run and weights"),
        (["run={run}", "out=a.ckpt"], "a run becomes a .safetensors file"),
        (["run={run}", "out={run}"], "is there already"),
        (["run={run}", "size=0"], "size=0"),
    ],
)
def test_what_cannot_be_converted_is_said(words, said, trained, tmp_path):
    done = run_command("convert", *(word.format(run=trained) for word in words), cwd=tmp_path)
    assert done.returncode and said in done.stderr and "Traceback" not in done.stderr
