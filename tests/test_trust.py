"""A checkpoint from a stranger is read, and does nothing that its own configuration asks for."""

import pickle
import sys
import textwrap

import pytest
import torch
from omegaconf import OmegaConf

from colorization import build, trust
from colorization.compose import composed
from colorization.config import ConfigError
from colorization.evaluation import a_run
from colorization.module import Colorizer
from colorization.objective.base import Objective
from colorization.released import save
from colorization.reopen import open_run

NETWORK = """
    from colorization.model.cnn import CNN

    class Mine(CNN):
        pass

    def function(**settings):
        return CNN()
"""


@pytest.fixture(scope="module")
def honest():
    """What a checkpoint of this project holds."""
    cfg = composed("train", ["model=cnn", "data=scenes", "logger=csv"])
    return cfg, Colorizer(*build.parts(cfg))


@pytest.fixture
def checkpoint(honest, tmp_path, monkeypatch):
    """Write a checkpoint with another node in its configuration; its folder is the working one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("COLORIZATION_TRUST", raising=False)

    def write(name, node):
        path = tmp_path / "evil.ckpt"
        save(*honest, path)
        state = torch.load(path, weights_only=True)
        state["colorization"]["config"][name] = node
        torch.save(state, path)
        return path

    return write


@pytest.fixture
def package(tmp_path):
    """Write a module beside the checkpoint."""
    return lambda name, text: (tmp_path / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")


class Touch:
    """A pickle that makes a file when it is loaded."""

    def __reduce__(self):
        return exec, ("open('acted', 'w')",)


HOSTILE = {
    "a function of the system": ("model", {"_target_": "os.system", "command": "touch acted"}),
    "an expression": ("model", {"_target_": "builtins.eval", "_args_": ["open('acted', 'w')"]}),
    "a repository's own code": (
        "model",
        {"_target_": "torch.hub.load", "repo_or_dir": ".", "source": "local", "model": "mine"},
    ),
    "an unsafe load by way of this project": (
        "objective",
        {"_target_": "colorization.reopen.torch.load", "f": "evil.pkl", "weights_only": False},
    ),
    "Hydra's own functions": (
        "objective",
        {
            "_target_": "hydra.utils.call",
            "_recursive_": False,
            "config": {"_target_": "os.mkdir", "path": "acted"},
        },
    ),
    "a module that acts when it is imported": ("hints", {"_target_": "evil.Network"}),
    "a part of a trusted whole": (
        "objective",
        {
            "_target_": "colorization.objective.regression.Regression",
            "loss": {
                "_target_": "pathlib.Path.touch",
                "self": {"_target_": "pathlib.Path", "_args_": ["acted"]},
            },
        },
    ),
    "what this project only imports": (
        "objective",
        {
            "_target_": "colorization.files.Path.touch",
            "self": {"_target_": "colorization.files.Path", "_args_": ["acted"]},
        },
    ),
    "a function held back": (
        "objective",
        {"_target_": "functools.partial", "_args_": [{"_target_": "os.mkdir", "path": "acted"}]},
    ),
}


@pytest.mark.parametrize("way", ["open_run", "load_from_checkpoint"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_nothing_of_it_acts(checkpoint, package, tmp_path, kind, way):
    package("evil", "open('acted', 'w')")
    package("hubconf", "open('acted', 'w')\ndef mine(**settings): pass")
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Touch()))
    name, node = HOSTILE[kind]
    path = checkpoint(name, node)
    with pytest.raises(ConfigError, match=rf"evil.ckpt: {name}.* would build .*; trusted are colorization"):
        Colorizer.load_from_checkpoint(path) if way == "load_from_checkpoint" else open_run(path).colorizer()
    assert not (tmp_path / "acted").exists()
    assert "evil" not in sys.modules


def test_predict_says_it_in_one_error(checkpoint, package, command, tmp_path):
    package("evil", "open('acted', 'w')")
    checkpoint("model", {"_target_": "evil.Network"})
    (tmp_path / "grey.png").touch()
    done = command("predict", "grey.png", "run=evil.ckpt", cwd=tmp_path)
    assert done.returncode == 1 and not (tmp_path / "acted").exists()
    assert "export COLORIZATION_TRUST=evil" in done.stderr and "Traceback" not in done.stderr


def test_its_data_set_is_not_built_either(checkpoint, package, tmp_path):
    package("evil", "open('acted', 'w')")
    cfg = composed("evaluate", [f"run={checkpoint('data', {'_target_': 'evil.Data'})}"])
    with pytest.raises(ConfigError, match=r"data would build evil\.Data"):
        a_run(cfg, build.protocol(cfg))
    assert not (tmp_path / "acted").exists()


@pytest.mark.parametrize(
    "text",
    ["${oc.env:SECRET}", r"a\${oc.env:SECRET}", r"\\${oc.env:SECRET}", "${not", "${hydra:runtime.cwd}"],
)
def test_its_text_is_text(checkpoint, monkeypatch, text):
    """Neither the environment nor another resolver is asked, wherever the text goes."""
    monkeypatch.setenv("SECRET", "told")
    node = {"_target_": "colorization.data.scenes.dataset.Scenes", "cache_dir": text}
    opened = open_run(checkpoint("data", node))
    assert opened.config.data.cache_dir == text
    assert opened.data().cache_dir == text


def test_a_package_that_is_named_is_trusted(checkpoint, package, monkeypatch):
    package("mylab", NETWORK)
    path = checkpoint("model", {"_target_": "mylab.Mine"})
    with pytest.raises(ConfigError, match="export COLORIZATION_TRUST=mylab"):
        open_run(path).colorizer()
    monkeypatch.setenv("COLORIZATION_TRUST", "other.models,mylab")
    assert type(open_run(path).colorizer().network).__name__ == "Mine"


@pytest.mark.parametrize("target", ["mylab.function", "mylab.CNN", "mylab.Missing", "mylaboratory.Mine"])
def test_only_what_it_defines(checkpoint, package, monkeypatch, target):
    """No function, no class that it only imports, no package whose name merely begins alike."""
    package("mylab", NETWORK)
    monkeypatch.setenv("COLORIZATION_TRUST", "mylab")
    with pytest.raises(ConfigError, match=f"model would build {target}"):
        open_run(checkpoint("model", {"_target_": target})).colorizer()


def test_what_a_folder_of_the_users_own_names_is_trusted(checkpoint, package, tmp_path, monkeypatch):
    package("mylab", NETWORK)
    (tmp_path / "conf/model").mkdir(parents=True)
    (tmp_path / "conf/model/mine.yaml").write_text("_target_: mylab.Mine\n", encoding="utf-8")
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path / "conf"))
    assert (
        type(open_run(checkpoint("model", {"_target_": "mylab.Mine"})).colorizer().network).__name__ == "Mine"
    )
    with pytest.raises(ConfigError, match=r"would build mylab\.Other"):
        open_run(checkpoint("model", {"_target_": "mylab.Other"})).colorizer()


def test_who_has_trained_it_may_build_it_again(checkpoint, package):
    package("mylab", NETWORK)
    path = checkpoint("model", {"_target_": "mylab.Mine"})
    assert type(open_run(path).colorizer(own=True).network).__name__ == "Mine"


RUN = ["callback=[default,ema]", "logger=[wandb,tensorboard]", "hints=points", "loss=[gradient]"]


def test_a_run_of_this_project_may_go_on():
    trust.check_run(OmegaConf.to_container(composed("train", RUN), resolve=True), [], "config.yaml")


@pytest.mark.parametrize(
    ("path", "node"),
    [
        ("callback.mine", {"_target_": "evil.Callback"}),
        ("logger.mine", {"_target_": "colorization.files.write_text", "path": "acted", "text": ""}),
        ("trainer", {"_target_": "pytorch_lightning.cli.LightningCLI"}),
        ("optimizer", {"_target_": "functools.partial"}),
        ("metric.mine", "evil.metric"),
        ("protocol.metrics.mine", "os.mkdir"),
    ],
)
def test_somebody_elses_run_may_not_go_on_with_what_is_not_trusted(checkpoint, package, path, node):
    package("evil", "open('acted', 'w')")
    config = composed("train", RUN)
    OmegaConf.update(config, path, node, force_add=True, merge=False)
    with pytest.raises(ConfigError, match=r"config\.yaml: .* would build"):
        trust.check_run(OmegaConf.to_container(config, resolve=True), [], "config.yaml")
    assert "evil" not in sys.modules


@pytest.mark.parametrize("line", ["model._target_=evil.Net", "+callback.mine={_target_: 'evil.Mine'}"])
def test_nor_with_what_it_was_asked_for(line):
    config = OmegaConf.to_container(composed("train", RUN), resolve=True)
    with pytest.raises(ConfigError, match=r"would build evil\."):
        trust.check_run(config, [*RUN, line], "run")


def test_an_objective_may_hold_an_optimizer_of_torch():
    critic = {"_target_": "torch.optim.AdamW", "_partial_": True}
    node = {"_target_": "colorization.objective.regression.Regression", "critic": {"optimizer": critic}}
    trust.check(node, Objective, "a.ckpt", "objective")
