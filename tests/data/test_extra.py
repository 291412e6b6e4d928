"""Labels beside pictures: through shuffling, subsets, ranks, a resumed epoch, every split and a stream."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from colorization import build
from colorization.compose import composed
from colorization.config import InputError
from colorization.data.feed import Feed
from colorization.data.folder import Folder
from colorization.data.module import SPLITS
from colorization.data.sampler import Sampler
from colorization.data.stream import Stream, StreamFeed
from tests.additions.classes import Classes, folder
from tests.data.conftest import encoded
from tests.data.objectstore import serving

CONF = Path(__file__).parent.parent / "additions" / "conf"
CLASSES = ["cat", "dog", "newt"]
URL = "s3://bucket/classes"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """40 pictures in each of three folders, one of them unreadable."""
    root = tmp_path_factory.mktemp("classes")
    for c, name in enumerate(CLASSES):
        (root / name).mkdir()
        for i in range(40):
            (root / name / f"{i:02}.jpg").write_bytes(encoded(100 * c + i))
    (root / "cat" / "07.jpg").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def data(pictures, tmp_path_factory):
    cache = tmp_path_factory.mktemp("packs")
    return lambda kind=Classes, **settings: kind(
        **{"root": str(pictures), "cache_dir": str(cache), "image_size": 16, "batch_size": 8} | settings
    )


def right(data, split, batch):
    """Whether each label of a batch is that of its picture's folder."""
    names = [data.pack(split).names[i] for i in batch.index]
    return batch.extra["label"].tolist() == [CLASSES.index(folder(name)) for name in names]


@pytest.mark.parametrize("settings", [{}, {"resident": True, "subset": 50}, {"flip": False, "load_size": 16}])
def test_every_batch_carries_the_labels_of_its_pictures(data, settings):
    made = data(**settings)
    for split in SPLITS:
        loader = made.train_dataloader() if split == "train" else getattr(made, f"{split}_dataloader")()
        batches = [made.on_after_batch_transfer(batch, 0) for batch in loader]
        assert batches and all(right(made, split, batch) for batch in batches)
        assert {batch.extra["label"].dtype for batch in batches} == {torch.int64}
    labels = [label for batch in batches for label in batch.given.extra["label"].tolist()]
    assert len(set(labels)) == 3


def test_ranks_and_a_resumed_epoch_carry_them(data):
    made = data()
    pack, labels = made.pack("train"), made.rows("train")["label"]
    for rank in range(2):

        def feed(rank=rank):
            return Feed(pack.pictures, Sampler(len(pack), 4, 0, rank, 2, epoch=1), extra=made.rows("train"))

        whole = [(b["index"].tolist(), b["extra"]["label"].tolist()) for b in feed()]
        assert all(labels[index].tolist() == label for index, label in whole)
        first, second = feed(), feed()
        taken = iter(first)
        for _ in range(3):
            next(taken)
        second.load_state_dict(first.state_dict())
        assert [(b["index"].tolist(), b["extra"]["label"].tolist()) for b in second] == whole[3:]


class Counter(pl.LightningModule):
    """Learns how often each label came, on the device of the batch."""

    def __init__(self):
        super().__init__()
        self.scores, self.wrong = torch.nn.Parameter(torch.zeros(3)), 0

    def training_step(self, batch, batch_idx):
        self.wrong += not right(self.trainer.datamodule, "train", batch)
        return torch.nn.functional.cross_entropy(self.scores.expand(len(batch.L), 3), batch.extra["label"])

    def validation_step(self, batch, batch_idx):
        self.wrong += not right(self.trainer.datamodule, "val", batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def test_one_file_and_one_yaml_make_a_data_set_with_labels(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_CONF", str(CONF))
    settings = {"root": pictures, "cache_dir": tmp_path, "image_size": 16, "batch_size": 8}
    cfg = composed("train", ["data=classes", *(f"data.{key}={value}" for key, value in settings.items())])
    counter = Counter()
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, use_distributed_sampler=False,
    )  # fmt: skip
    trainer.fit(counter, build.data(cfg))
    assert not counter.wrong and counter.scores.abs().sum() > 0


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (lambda data, split: {"label": np.zeros(3)}, r"Wrong.extra\('train'\)\['label'\] is float64 \(3,\);"),
        (
            lambda data, split: {"name": data.pack(split).names},
            r"\['name'\] is <U\d+ .*should be numbers, a row",
        ),
    ],
)
def test_what_is_no_row_of_numbers_for_each_picture_is_named(data, extra, said):
    made = data(type("Wrong", (Folder,), {"extra": extra}))
    with pytest.raises(InputError, match=said):
        made.train_dataloader()


def test_a_stream_carries_them(data, tmp_path, monkeypatch):
    shards = pytest.importorskip("colorization.data.shards")
    made = data()
    with serving() as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        shards.write(made, URL, size=10_000)
        shards.write(
            made, URL, size=10_000
        )  # the same again is fine, other labels of the same pictures are not
        with pytest.raises(InputError, match="other pictures lie there"):
            shards.write(data(Folder), URL)
        stream = Stream(root=URL, cache_dir=str(tmp_path), image_size=16, batch_size=8, subset=60)
        for split in SPLITS:
            assert np.array_equal(
                stream.extra(split)["label"], made.extra(split)["label"][: stream.count(split)]
            )
        loader = stream.train_dataloader()
        assert isinstance(loader, StreamFeed)
        batches = [stream.on_after_batch_transfer(batch, 0) for batch in loader]
        assert len(batches) == 7 and all(right(made, "train", batch) for batch in batches)
        assert all(right(made, "val", stream.on_after_batch_transfer(b, 0)) for b in stream.val_dataloader())
