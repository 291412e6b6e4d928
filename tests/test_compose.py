"""Composition: the user's own folders, sweeps, paths, and nothing of Hydra left behind."""

import os

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from colorization.compose import composed, differing
from colorization.config import ConfigError, describe_target, named_targets, options
from colorization.trials.question import question
from tests import outside


def faults(*overrides: str, command: str = "train") -> str:
    with pytest.raises(ConfigError) as caught:
        composed(command, overrides)
    return str(caught.value)


@pytest.fixture
def mylab(tmp_path, monkeypatch):
    """The YAML folder of a package outside this project, which is importable."""
    code, conf = outside.write(tmp_path)
    monkeypatch.syspath_prepend(code)
    monkeypatch.setenv("COLORIZATION_CONF", "")
    return conf


def test_an_own_package_composes_as_ours(mylab, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", os.pathsep.join([str(mylab.parent), str(mylab)]))
    cfg = composed("train", ["experiment=first", "seed=3"])
    assert (cfg.model._target_, cfg.model.width) == ("mylab.network.Tiny", 16)
    assert (cfg.data.seed, cfg.budget.steps, cfg.name) == (3, 2, "tiny_vivid")
    assert {"tiny", "unet"} <= set(options("model")) and {"first", "demo"} <= set(options("experiment"))
    assert composed("evaluate", ["data=few", "run=x"]).data._target_ == "mylab.data.Few"


def test_an_own_package_has_errors_as_ours(mylab, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(mylab))
    said = faults("experiment=first", "model.widht=3", "objective.gain=much")
    assert "model.widht: no such setting; did you mean width? (Tiny, mylab/network.py)" in said
    assert "objective.gain='much': should be a number (Vivid, mylab/objective.py)" in said
    assert "did you mean tiny?" in faults("model=tinny")
    assert "did you mean first?" in faults("experiment=frist")
    assert describe_target("torch.optim.AdamW") == "torch.optim.AdamW"


def test_a_package_that_is_not_importable_is_told(mylab, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(mylab))
    (mylab / "model" / "gone.yaml").write_text("_target_: theirlab.network.Gone\n", encoding="utf-8")
    assert "is theirlab installed, or its folder in PYTHONPATH?" in faults("model=gone")


def test_a_folder_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path / "none"))
    assert "none: no such folder of YAML files" in faults()


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_folder_given_to_hydra_is_searched(mylab, scheme):
    assert composed("train", ["model=tiny", f"hydra.searchpath=[{scheme}{mylab}]"]).model.width == 8
    assert composed("train", ["model=tiny"]).model.width == 8, "and by what is composed later in this process"


def test_a_package_of_yaml_is_searched(mylab, monkeypatch):
    package = mylab.parent / "code" / "mylab" / "conf"
    mylab.rename(package)
    assert composed("train", ["hydra.searchpath=[pkg://mylab.conf]", "model=tiny"]).model.width == 8
    assert "no such package" in faults("hydra.searchpath=[pkg://mylab.none]")


def test_the_targets_that_a_user_names(mylab, monkeypatch):
    assert named_targets() == set()
    monkeypatch.setenv("COLORIZATION_CONF", str(mylab))
    nested = "_target_: mylab.network.Two\nfirst: {_target_: mylab.network.One}\nrest: [{_target_: a.B}]\n"
    (mylab / "model" / "two.yaml").write_text(nested, encoding="utf-8")
    own = {"mylab.network.Tiny", "mylab.objective.Vivid", "mylab.data.Few"}
    assert named_targets() == own | {"mylab.network.Two", "mylab.network.One", "a.B"}


def test_composing_leaves_nothing_of_hydra_behind():
    cfg = composed("train", ["model=cnn"])
    assert not HydraConfig.initialized() and not GlobalHydra.instance().is_initialized()
    assert "hydra" not in cfg and cfg.name == "cnn_regression"
    assert OmegaConf.to_container(cfg, resolve=False) == OmegaConf.to_container(cfg, resolve=True)


def test_what_was_read_before_is_read_anew_where_a_file_has_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(tmp_path))
    file = tmp_path / "experiment" / "mine.yaml"
    file.parent.mkdir()
    found = []
    for text in ("seed: 1", "seed: 1", "seed: 23"):
        file.write_text(f"# @package _global_\n{text}\n", encoding="utf-8")
        cfg = composed("train", ["experiment=mine", "name=mine"])
        found.append((cfg.seed, cfg.budget.epochs))
        cfg.budget.epochs = 7
    assert found == [(1, 10), (1, 10), (23, 10)]


def test_own_yaml_finds_what_hydra_knows(mylab, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(mylab))
    text = "# @package _global_\nname: ${hydra:runtime.choices.model}\nwatch: ${hydra:runtime.output_dir}\n"
    (mylab / "experiment" / "known.yaml").write_text(text, encoding="utf-8")
    cfg = composed("train", ["experiment=known", "model=cnn", "run.dir=there"])
    assert (cfg.name, cfg.watch) == ("cnn", "there")


def test_paths_have_their_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    cfg = composed("train", ["run.dir=~/x", "data.root=~/a b,(c)", "protocol.manifest=null"])
    assert (cfg.run.dir, cfg.data.root) == ("/home/me/x", "/home/me/a b,(c)")
    assert composed("predict", ["out=~/x", "inputs=['~/a.jpg']"]).inputs == ["/home/me/a.jpg"]
    assert composed("train", ["data=stream", "data.root=s3://bucket/~x"]).data.root == "s3://bucket/~x"
    assert cfg.data.cache_dir.startswith("~"), "what a run records of the cache means the same to others"


def overrides(*sweep: str) -> list[list[str]]:
    return [trial.overrides for trial in question(sweep).examples]


def test_the_last_list_varies_fastest():
    assert overrides("model=cnn,unet", "watch=ssim", "seed=range(1,3)") == [
        ["watch=ssim", f"model={model}", f"seed={seed}"] for model in ("cnn", "unet") for seed in (1, 2)
    ]


def test_every_kind_of_list():
    assert overrides("objective.loss=choice(l1,mse)") == [["objective.loss=l1"], ["objective.loss=mse"]]
    assert overrides("optimizer=glob(adam*)") == [["optimizer=adam"], ["optimizer=adamw"]]
    assert overrides("data.root=~/a b,c=d")[1] == ["data.root='c=d'"]
    assert overrides("loss=[l1],[gradient]") == [["loss=[l1]"], ["loss=[gradient]"]]
    with pytest.raises(
        ConfigError, match=r"optimizer=glob\(x\*\): matches none of adadelta, adam, adamw, sgd"
    ):
        overrides("optimizer=glob(x*)")


def test_lists_without_a_sweep_are_told():
    said = faults("model=cnn,unet")
    assert "model=cnn,unet: several values" in said and "train -m model=cnn,unet" in said


def test_a_setting_of_some_trials_only():
    assert len(overrides("hints=points,histogram", "hints.seed=0,1")) == 4
    with pytest.raises(ConfigError) as caught:
        overrides("model=unet,cnn", "model.width=8,16", "sed=1")
    where = "trial 2 (model=cnn model.width=8), trial 3 (model=cnn model.width=16)"
    what = "model.width: no such setting; the settings of model are in_channels, out_channels"
    of_some = f"{where}: {what} (CNN, model/cnn.py)"
    assert set(caught.value.faults) == {"sed: no such setting; did you mean seed?", of_some}


def folders(*sweep: str) -> list[str]:
    return [trial.cfg.run.dir for trial in question(sweep).examples]


def test_trials_have_a_folder_each_named_by_what_differs():
    named = ("hydra.sweep.dir=all", "hydra.sweep.subdir='${hydra:job.num}_${seed}'")
    assert folders("seed=1,2", *named) == ["all/0_1", "all/1_2"]
    places = folders("model=cnn,unet", "optimizer.lr=1e-3,1e-2")
    assert len({place.rpartition("/")[0] for place in places}) == 1
    names = [place.rpartition("/")[2] for place in places]
    assert names[:2] == ["0_model=cnn,lr=0.001", "1_model=cnn,lr=0.01"] and len(set(names)) == 4
    assert differing(["a.size=1", "b.size=2", "loss=[l1,chroma]", "loss=[]"])[:21] == "a.size=1,b.size=2,los"
    assert differing(["loss=[l1,chroma]"]) == "loss=l1_chroma" and differing(["loss=[]"]) == "loss=none"
    assert differing(["data.root='/a b/c'"]) == "root=a_b_c"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("hydra.run.dir=x", "run.dir=FOLDER names the folder"),
        ("hydra.job.chdir=true", "no effect here"),
        ("hydra/launcher=joblib", "hydra/launcher: no effect here"),
    ],
)
def test_what_hydra_would_do_and_we_do_not_is_told(override, said):
    assert said in faults(override)


def test_settings_of_decoding_are_passed_on():
    assert composed("predict", ["guidance=2.5", "vivid=true"]).decoding == {"guidance": 2.5, "vivid": True}
    assert composed("evaluate", ["run=x", "steps=10"]).decoding == {"steps": 10}
    assert composed("predict", ["decoding.steps=10"]).decoding == {"steps": 10}
    for wrong, right in (("sed=1", "seed"), ("devise=cpu", "device"), ("gammut=clip", "gamut")):
        assert f"did you mean {right}?" in faults(wrong, command="predict")
    assert "no such setting" in faults("guidance=2.5", command="train")


def test_what_loggers_protocols_and_metrics_take_is_checked_with_the_rest():
    said = faults(
        "logger.mode=ofline", "protocol.size=big", "+metric.mine=colorization.metric.psnr.psnrr", "sed=1"
    )
    for part in (
        "4 faults",
        "logger.wandb.mode='ofline': should be 'auto' or",
        "protocol.size='big': should be",
    ):
        assert part in said
    assert "metric.mine: _target_: colorization.metric.psnr.psnrr" in said


def test_a_run_may_be_named_by_the_options_of_a_list():
    for chosen, name in (("[]", "none"), ("[gradient]", "gradient"), ("[l1,chroma]", "l1_chroma")):
        assert composed("train", ["experiment=loss_terms", f"loss={chosen}"]).name == f"loss_terms_{name}_0"
