"""A network as a file for other programs gives the colours that it gives in PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from colorization.color.lightness import lightness
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.data.batch import Given
from colorization.exported import onnx_file as onnx_files
from colorization.exported import torchscript_file
from colorization.exported.facts import facts
from colorization.exported.job import export
from colorization.graph import Graph
from colorization.hints.none import Nothing
from colorization.module import Colorizer
from colorization.objective.classification import Classification
from colorization.reopen import open_run
from tests.exported.conftest import saved
from tests.objective.fixed import Fixed

onnx = pytest.importorskip("onnx")
import onnxruntime  # noqa: E402

SIZES = [(170, 131), (64, 96), (33, 20), (1, 1)]  # height and width


def noise(size):
    return 100 * torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def session(onnx_file):
    return onnxruntime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_onnx_runtime_gives_pytorchs_colours_at_any_size(session, colorizer, size):
    """Among them some that no stride divides: ONNX cuts whole quotients off, Python rounds them down."""
    L = noise(size)
    ab, p = (torch.from_numpy(made) for made in session.run(["ab", "p"], {"L": L.numpy()}))
    expected = colorizer(L)
    assert 0.5 < expected.abs().max() < 109
    torch.testing.assert_close(ab, expected, atol=1e-3, rtol=1e-4)
    held = colorizer.objective.distribution(colorizer.network, Given(L))
    torch.testing.assert_close(p, held.p, atol=1e-5, rtol=1e-3)


def test_the_metadata_says_what_goes_in_and_out(session, colorizer):
    told = json.loads(session.get_modelmeta().custom_metadata_map["colorization"])
    assert [entry.name for entry in session.get_inputs()] == list(told["inputs"]) == ["L"]
    assert [entry.name for entry in session.get_outputs()] == list(told["outputs"]) == ["ab", "p"]
    assert session.get_inputs()[0].shape == [1, 1, "height", "width"]
    assert session.get_outputs()[0].shape == [1, 2, "height", "width"]
    assert told["size"] == 64 and told["name"] == "small" and told["precision"] == "float32"
    assert "0 to 100" in told["inputs"]["L"] and "sees none" in told["hints"]
    assert told["bins_ab"] == colorizer.objective.gamut.centres.tolist() and told["p_stride"] == 8


@pytest.mark.parametrize(("precision", "size", "apart"), [("float16", 0.65, 0.02), ("int8", 0.6, 0.5)])
def test_a_smaller_file_has_nearly_these_colours(
    precision, size, apart, onnx_file, small, exports, colorizer, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(onnx_files, "_traced", lambda graph: onnx.load(onnx_file))
    caplog.set_level("INFO")
    made = exports(small, tmp_path / "made.onnx", f"precision={precision}")
    assert made.stat().st_size < size * onnx_file.stat().st_size
    L = lightness(skimage.data.coffee()[100:170, 200:251])
    with torch.no_grad():
        expected = colorizer(L)
        assert (onnx_files.runs(made)(L) - expected).abs().mean() < apart * expected.abs().mean()
    for told in ("made.onnx: ", f"MB, {precision}", "CIE units from PyTorch's", "dB lost", "ms by the file"):
        assert told in caplog.text


def test_the_documents_lines_run_without_torch(onnx_file, small, tmp_path):
    photo = Image.fromarray(skimage.data.coffee()[100:260, 200:421])
    photo.save(tmp_path / "photo.png")
    text = (Path(__file__).parents[2] / "docs/export.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    code = code.replace("box.onnx", str(onnx_file)).replace("photo.jpg", "photo.png")
    refused = "import sys; sys.modules.update(torch=None, colorization=None)\n"
    subprocess.run([sys.executable, "-c", refused + code], cwd=tmp_path, check=True)
    made = np.asarray(Image.open(tmp_path / "coloured.png")).astype(float)
    import colorization

    expected = colorization.load(small, device="cpu")(np.asarray(photo), size=64, gamut="clip").astype(float)
    assert np.abs(made - expected).mean() < 4  # enlarged in another way
    assert np.ptp(made, axis=-1).max() > 20


def test_torchscript_and_its_half(small, exports, colorizer, tmp_path):
    for precision, apart in (("float32", 1e-3), ("float16", 2.0)):
        made = exports(small, tmp_path / f"{precision}.pt", "format=torchscript", f"precision={precision}")
        for size in SIZES[:2]:
            with torch.no_grad():
                assert (torchscript_file.runs(made)(noise(size)) - colorizer(noise(size))).abs().max() < apart


def test_points_go_in_where_the_network_sees_them(exports, tmp_path):
    run = saved(tmp_path / "points.ckpt", "model=unet", "model.width=8", "model.depth=2", "hints=points")
    made = exports(run, tmp_path / "points.pt", "format=torchscript")
    extra = {"colorization.json": ""}
    module = torch.jit.load(made, _extra_files=extra)
    assert "points" not in extra and "a / 110" in json.loads(extra["colorization.json"])["inputs"]["hints"]
    L, hints = noise((37, 53)), torch.rand(1, 3, 37, 53)
    colorizer = open_run(run).colorizer()
    with torch.no_grad():
        torch.testing.assert_close(module(L, hints), colorizer(L, hints), atol=1e-3, rtol=1e-3)
        assert not torch.allclose(colorizer(L, hints), colorizer(L), atol=1e-2)


def test_vivid_becomes_part_of_the_file(colorizer):
    """The graph decodes as it was asked to."""
    L = noise((20, 30))
    with torch.no_grad(), colorizer.objective.decoded(chroma=2.0):
        doubled = Graph(colorizer.network, colorizer.objective, colorizer.hints)(L)
    torch.testing.assert_close(doubled, 2 * colorizer(L).detach(), atol=1e-2, rtol=1e-3)


def test_safetensors_in_single_precision_are_the_checkpoint(small, exports, colorizer, tmp_path):
    made = exports(small, tmp_path / "small.safetensors", "format=safetensors")
    again = open_run(made)
    assert again.config.data.image_size == 64
    for name, tensor in again.colorizer().network.state_dict().items():
        assert torch.equal(tensor, colorizer.network.state_dict()[name])


def test_what_colours_in_steps_is_refused(exports, tmp_path):
    run = saved(tmp_path / "flow.ckpt", "model=unet", "model.width=8", "model.depth=1", "objective=flow")
    with pytest.raises(ConfigError, match=r"flow colours in steps.*give format=safetensors"):
        exports(run, tmp_path / "flow.onnx")
    assert not list(tmp_path.glob("*.onnx*"))
    assert exports(run, tmp_path / "flow.safetensors", "format=safetensors").is_file()


def test_other_colours_are_not_written(small, exports, tmp_path, monkeypatch):
    monkeypatch.setattr(
        torchscript_file, "runs", lambda path: lambda L: torch.zeros_like(L).repeat(1, 2, 1, 1)
    )
    with pytest.raises(ConfigError, match=r"format=torchscript: its colours are up to .* units of ab"):
        exports(small, tmp_path / "wrong.pt", "format=torchscript")
    assert not list(tmp_path.iterdir())


def test_probabilities_are_known_of_a_distribution_alone():
    colorizer = Colorizer(Fixed(torch.randn(1, 313, 10, 14), stride=8), Classification(), Nothing())
    graph = Graph(colorizer.network, colorizer.objective, colorizer.hints, everything=True)
    told = facts("mine", 64, graph, "float32", {})
    assert list(told["outputs"]) == ["ab", "p"] and len(told["bins_ab"]) == 313 and told["hints"] == "none"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            ["format=torchscript", "precision=int8"],
            "precision=int8: format=torchscript has float32 or float16",
        ),
        (["format=png"], "format=png: choose onnx, torchscript, safetensors"),
        (["format=safetensors", "vivid=1"], "vivid=1: a .safetensors keeps every way"),
        (["push=nobody"], "push=nobody: should be OWNER/NAME"),
        (["out=box.pt"], "out=box.pt: format=onnx is a .onnx file"),
        (["run=nowhere"], "run=nowhere"),
        (["photos=nowhere"], "photos=nowhere: no such folder"),
    ],
)
def test_a_mistake_is_said_before_anything_is_made(settings, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ConfigError, OSError), match=says):
        export(composed("export", settings if "run=nowhere" in settings else ["run=box", *settings]))
    assert not list(tmp_path.iterdir())
