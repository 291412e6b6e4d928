"""What a wrong configuration says, and that every option composes and builds."""

import importlib
import pkgutil

import pytest
import torch
from omegaconf import OmegaConf

import colorization
from colorization import build
from colorization.check import faults, fits
from colorization.compose import composed
from colorization.config import CONF, ConfigError, groups, options, signature
from colorization.data.batch import Batch
from colorization.trainer import accelerator


def fault(*overrides: str, command: str = "train") -> str:
    with pytest.raises(ConfigError) as caught:
        composed(command, overrides)
    return str(caught.value)


def test_all_faults_come_at_once_with_what_to_type():
    said = fault("model.widht=3", "objective.loss=l3", "trainer.precison=16", "budget.epochs=many", "sed=1")
    assert "5 faults" in said
    assert "model.widht: no such setting; did you mean width? (UNet, model/unet.py)" in said
    assert (
        "objective.loss='l3': should be 'mse' or 'l1' or 'huber' (Regression, objective/regression.py)"
        in said
    )
    assert "did you mean precision?" in said
    assert "budget.epochs='many': should be a number or null" in said
    assert "sed: no such setting; did you mean seed?" in said


def test_an_unknown_option_names_the_others():
    said = fault("model=unnet")
    assert "did you mean unet?" in said and "cnn" in said


def test_nonsense_is_one_sentence():
    assert "\n\n" not in fault("model=[")
    assert fault("data.batch_size=3.5").endswith("(COCO, data/coco.py)")
    assert "true or false" in fault("data.flip=7")


@pytest.mark.parametrize("text", ["ünï", "Fotos (alt)", "a=b", "it's", "C:\\photos", "a{b}", "a,b", "2024"])
def test_a_path_is_text_as_it_stands(text):
    assert composed("train", [f"data.root={text}"]).data.root == text


def test_settings_of_the_constructor_need_no_yaml():
    assert composed("train", ["trainer.fast_dev_run=true"]).trainer.fast_dev_run is True


@pytest.mark.parametrize(
    ("value", "hint", "right"),
    [
        (1, int, True), (1.5, int, False), (True, int, False), (1, float, True), ("1", float, False),
        (None, int | None, True), ("x", int | None, False), ("a", str, True), ([1, 2], tuple[int, int], True),
    ],
)  # fmt: skip
def test_types(value, hint, right):
    assert fits(value, hint if hint != tuple[int, int] else list) is right


def test_every_node_of_every_option_fits_its_constructor():
    """Groups side by side: a composition takes the next option of each, and of lists all at once."""
    lists = {"metric", "callback", "logger", "loss"}
    each = {group: options(group) for group in set(groups("train")) - {"experiment"}}
    for number in range(max(len(each[group]) for group in each.keys() - lists)):
        config = composed("train", [
            f"{group}=[{','.join(names)}]" if group in lists else f"{group}={names[number % len(names)]}"
            for group, names in each.items()
        ])  # fmt: skip
        assert list(faults(OmegaConf.to_container(config, resolve=True))) == []


def test_every_option_of_a_sweep_fits_its_constructor():
    for group in groups("sweep"):
        for name in options(group):
            assert list(faults(OmegaConf.to_container(composed("sweep", [f"{group}={name}"])))) == []


def test_groups_are_named_as_the_folders_that_they_build_from():
    rooms = {module.name for module in pkgutil.iter_modules(colorization.__path__)}
    from_libraries = {"optimizer", "trainer", "pruner"}
    for path in CONF.iterdir():
        if path.is_dir():
            assert path.name in rooms | from_libraries, f"conf/{path.name} has no colorization/{path.name}"


@pytest.mark.parametrize("name", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_every_command_has_its_configuration(name):
    assert callable(importlib.import_module(f"colorization.{name}").main)


def batch(size: int = 32) -> Batch:
    """Two pictures of noise with true colours."""
    generator = torch.Generator().manual_seed(0)
    L = 100 * torch.rand(2, 1, size, size, generator=generator)
    ab = 40 * torch.randn(2, 2, size, size, generator=generator)
    return Batch(L, ab, torch.arange(2))


NARROW = {
    "pix2pix": ["model.width=8", "model.depth=5"],
    "iizuka": ["model.width=16", "model.size=64"],
    "chromagan": ["model.width=8", "model.size=64"],
    "deoldify": ["model.decoder=wide", "model.factor=0.125"],
}


@pytest.mark.parametrize("objective", options("objective"))
@pytest.mark.parametrize("model", options("model"))
def test_every_model_learns_from_every_objective(model, objective):
    cfg = composed("train", [f"model={model}", f"objective={objective}", *NARROW.get(model, [])])
    if build.objective(cfg).needs.time and "takes_time" not in signature(cfg.model._target_):
        with pytest.raises(ConfigError, match=r"takes no time t, .* such as model=unet"):
            build.colorizer(cfg)
        return
    colorizer = build.colorizer(cfg)
    colorizer.objective.loss(colorizer.network, colorizer.seen(batch())).total.backward()
    for name, weight in colorizer.network.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name
    assert colorizer.eval()(batch().L).shape == (2, 2, 32, 32)


@pytest.mark.parametrize("optimizer", options("optimizer"))
def test_every_optimizer_moves_every_weight(optimizer):
    settings = [f"optimizer={optimizer}", "schedule=constant", "model=unet", "model.width=8"]
    colorizer = build.colorizer(composed("train", settings))
    (chosen,), _ = colorizer.configure_optimizers()
    before = [p.clone() for p in colorizer.network.parameters()]
    for p in colorizer.network.parameters():
        p.grad = torch.ones_like(p)
    chosen.step()
    assert not any(torch.equal(p, q) for p, q in zip(before, colorizer.network.parameters(), strict=True))


def test_a_mac_trains_on_its_processor_unless_told_otherwise(monkeypatch):
    auto, mps = composed("train"), composed("train", ["trainer.accelerator=mps"])
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    assert accelerator(auto) == "auto"
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert (accelerator(auto), accelerator(mps)) == ("cpu", "mps")


def test_importing_the_package_does_not_import_wandb():
    import subprocess
    import sys

    code = "import sys, colorization.train, colorization.predict; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
