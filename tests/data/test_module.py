import zipfile

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from PIL import Image

from colorization.color import lab
from colorization.config import InputError
from colorization.data.coco import COCO
from colorization.data.feed import Feed, by_gather, by_slices
from colorization.data.folder import Folder
from colorization.data.sampler import Sampler
from tests.data import conftest

PICTURES = np.random.default_rng(0).integers(0, 256, (50, 20, 20, 3), dtype=np.uint8)


@pytest.fixture
def folder(tree, tmp_path):
    return lambda **settings: Folder(
        root=str(tree), **{"cache_dir": str(tmp_path), "image_size": 16, "batch_size": 8} | settings
    )


def test_batches_are_rows_of_the_map():
    batches = list(Feed(PICTURES, Sampler(50, 8)))
    assert len(batches) == 6
    for batch in batches:
        assert np.array_equal(batch["picture"], PICTURES[batch["index"]])
    assert "crop" not in batches[0]


def test_an_interrupted_epoch_goes_on_at_the_same_picture():
    def feed():
        return Feed(PICTURES, Sampler(50, 8, seed=3, epoch=2), room=4)

    whole = [batch["index"].tolist() for batch in feed()]
    first = feed()
    taken = iter(first)
    assert [next(taken)["index"].tolist() for _ in range(2)] == whole[:2]
    second = feed()
    second.load_state_dict(first.state_dict())
    assert [batch["index"].tolist() for batch in second] == whole[2:]
    assert [batch["index"].tolist() for batch in second] == whole


@pytest.mark.parametrize("crop", [by_slices, by_gather])
def test_crop_cuts_and_mirrors(crop):
    where = torch.tensor([[0, 0, 0], [4, 2, 0], [1, 3, 1]])
    cut = crop(torch.from_numpy(PICTURES[:3]), where, 16).numpy()
    assert np.array_equal(cut[0], PICTURES[0, :16, :16])
    assert np.array_equal(cut[1], PICTURES[1, 4:20, 2:18])
    assert np.array_equal(cut[2], PICTURES[2, 1:17, 3:19][:, ::-1])


@pytest.mark.parametrize("resident", [False, True])
def test_what_reaches_the_network(folder, resident):
    data = folder(resident=resident)
    data.prepare_data()
    feed = data.train_dataloader()
    raw = next(iter(feed))
    assert ("picture" in raw) is not resident
    batch = data.on_after_batch_transfer(raw, 0)
    assert batch.L.shape == (8, 1, 16, 16)
    assert batch.ab.shape == (8, 2, 16, 16)
    seen = lab.to_uint8(lab.merge(batch.L, batch.ab, "clip"))
    for picture, index, (top, left, mirrored) in zip(seen, raw["index"], raw["crop"].tolist(), strict=True):
        cut = data.pack("train").pictures[index][top : top + 16, left : left + 16]
        assert np.array_equal(picture.movedim(0, -1), cut[:, ::-1] if mirrored else cut)


def test_scored_pictures_are_never_augmented(folder):
    data = folder()
    batch = next(iter(data.val_dataloader()))
    assert set(batch) == {"index", "picture"}
    assert batch["picture"].shape[1:] == (16, 16, 3)


def test_subsets_are_nested_and_no_split_shares_a_picture(folder):
    small, large = folder(subset=20), folder(subset=60)
    assert small.pack("train").names == large.pack("train").names[:20]
    names = [set(folder().pack(split).names) for split in ("train", "val", "test")]
    assert sum(map(len, names)) == len(set.union(*names)) == 120


def test_a_subset_larger_than_the_data_takes_all_and_warns(folder, caplog):
    assert len(folder(subset=1000).pack("train")) == 98
    assert "data.subset=1000: there are 98 training pictures; taking all" in caplog.text


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"image_size": 0}, "data.image_size=0: must be at least 1"),
        ({"load_size": 8}, "data.load_size=8: must be at least data.image_size=16"),
        ({"val_size": 0}, "data.val_size=0"),
        ({"name": "my/set"}, "data.name=my/set: should be letters"),
        ({"name": ".."}, "data.name=..: should be"),
    ],
)
def test_a_wrong_setting_is_named(folder, settings, said):
    with pytest.raises(ValueError, match=said):
        folder(**settings)


def test_coco_is_the_same_as_folders_and_as_zips(tree, tmp_path):
    (tmp_path / "folders").mkdir()
    (tmp_path / "zips").mkdir()
    for part in ("train2017", "val2017"):
        (tmp_path / "folders" / part).symlink_to(tree)
    for part in ("train2017", "val2017"):
        with zipfile.ZipFile(tmp_path / "zips" / f"{part}.zip", "w") as archive:
            for file in sorted(tree.rglob("*.*g")):
                archive.write(file, f"{part}/{file.relative_to(tree)}")
    made = [
        COCO(root=str(tmp_path / kind), cache_dir=str(tmp_path / "cache"), image_size=16)
        for kind in ("folders", "zips")
    ]
    for split in ("train", "val", "test"):
        assert made[0].pack(split).names == made[1].pack(split).names
        assert made[0].fingerprint(split) == made[1].fingerprint(split)
        assert made[0].pack(split).folder != made[1].pack(split).folder
    assert made[0].name == made[0].loader == "coco"


def test_a_name_of_its_own_moves_no_pack(folder):
    """Tables show the name; the pack is the one that was there before anybody gave a name."""
    unnamed, named = folder(), folder(name="birds-2.1")
    assert (unnamed.name, named.name, named.loader) == ("folder", "birds-2.1", "folder")
    assert named.pack("test").folder == unnamed.pack("test").folder
    assert named.fingerprint("test") == unnamed.fingerprint("test")


def test_coco_without_pictures_says_what_to_pass(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"neither train2017/ nor train2017.zip.*data.root=PATH.*data=scenes"
    ):
        COCO(root=str(tmp_path)).sources()


class Recorder(pl.LightningModule):
    """Remembers the pictures of every step, and saves a checkpoint after one of them."""

    def __init__(self, stop, checkpoint):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.stop, self.checkpoint = stop, checkpoint
        self.seen = []

    def training_step(self, batch, batch_idx):
        self.seen.append((self.current_epoch, batch.index.tolist(), float(batch.ab.sum())))
        return self.weight * 0

    def on_train_batch_end(self, outputs, batch, batch_idx):
        if self.global_step == self.stop:
            self.trainer.save_checkpoint(self.checkpoint)

    def validation_step(self, batch, batch_idx):
        pass

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("stop", [5, 12, 15])
def test_lightning_resumes_at_the_same_picture(folder, tmp_path, stop, resident):
    """Within an epoch of 12 steps, at its end, and within the next."""

    def trained(resume=None):
        recorder = Recorder(stop, tmp_path / "stopped.ckpt")
        trainer = pl.Trainer(
            max_steps=30, max_epochs=-1, accelerator="cpu", logger=False, use_distributed_sampler=False,
            enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False,
        )  # fmt: skip
        trainer.fit(recorder, folder(resident=resident), ckpt_path=resume, weights_only=True)
        return recorder.seen

    whole = trained()
    assert len({tuple(index) for _, index, _ in whole}) == 30
    assert trained(tmp_path / "stopped.ckpt") == whole[stop:]


def test_splits_are_checked_before_anything_is_packed(folder, tmp_path):
    data = folder()
    data.check(world=10)  # as many as val has
    with pytest.raises(InputError, match=r"folder: val has 10 pictures, too few to be shared by 11 "):
        data.check(world=11)
    with pytest.raises(InputError, match=r"train has 3 pictures"):
        folder(subset=3).check(world=4)
    assert not any(tmp_path.iterdir())
    counts = {split: data.count(split) for split in ("train", "val", "test")}
    data.prepare_data()
    data.check(world=10)
    assert counts == {split: data.count(split) for split in counts} == {s: len(data.pack(s)) for s in counts}


def test_a_split_that_nothing_is_left_for_is_found_before_anything_is_packed(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "only.png")
    with pytest.raises(InputError, match="1 pictures are too few"):
        Folder(root=str(tmp_path), cache_dir=str(tmp_path / "cache")).check()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("grey", "warned"), [(40, True), (30, True), (4, False)])
def test_training_on_grey_pictures_is_warned_of(tmp_path, caplog, grey, warned):
    """However the grey ones are stored: as one channel, or as colours of a JPEG."""
    for i in range(40):
        colour = conftest.picture(i)
        shown = colour.convert("L") if i < grey else colour
        (shown if i % 2 else shown.convert("RGB")).save(tmp_path / f"{i:02}.jpg")
    Folder(root=str(tmp_path), cache_dir=str(tmp_path / "cache"), image_size=16).prepare_data()
    assert ("training pictures have no colour" in caplog.text) is warned
    if grey == 40:
        assert "33 of 33 training pictures have no colour" in caplog.text
