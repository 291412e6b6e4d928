import errno
import shutil
import tarfile
import zipfile
from itertools import chain
from pathlib import Path

import pytest
from PIL import Image

from colorization.data.archive import Tar, Zip
from colorization.data.decode import UnreadablePicture
from colorization.data.folder import Folder, files_at, overlap
from colorization.data.pack import pack
from colorization.data.source import Part, Tree


def zipped(tree, path, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(tree.rglob("*")):
            archive.write(file, f"set/{file.relative_to(tree)}")
    return path


@pytest.fixture(params=["folder", "zip", "deflated", "tar"])
def files(request, tree, tmp_path):
    if request.param == "folder":
        return Tree(tree)
    if request.param == "tar":
        with tarfile.open(tmp_path / "set.tar", "w") as archive:
            archive.add(tree, "./set")
        return Tar(tmp_path / "set.tar", "set/")
    method = zipfile.ZIP_STORED if request.param == "zip" else zipfile.ZIP_DEFLATED
    return Zip(zipped(tree, tmp_path / "set.zip", method), "set/")


def test_every_place_lists_and_reads_the_same(files, tree):
    assert len(files.names) == 120
    assert files.names == Tree(tree).names
    for name in files.names[::17]:
        assert files.read(name) == (tree / name).read_bytes()


def test_a_damaged_archive_is_noticed(tree, tmp_path):
    path = zipped(tree, tmp_path / "set.zip")
    member = Zip(path, "set/").members["set/001.jpg"]
    data = bytearray(path.read_bytes())
    data[member.stop - 9] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadablePicture, match=r"001.jpg: the archive is damaged: wrong CRC"):
        Zip(path, "set/").read("001.jpg")
    path.write_bytes(data[:-2000])
    with pytest.raises(ValueError, match=r"set.zip: a damaged or unfinished zip"):
        _ = Zip(path).names


def test_a_compressed_tar_says_what_to_do(tree, tmp_path):
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(tree, "set")
    with pytest.raises(ValueError, match="unpack it"):
        _ = Tar(tmp_path / "set.tar.gz").names


def test_links_to_folders_above_end(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "set")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "other").symlink_to(tree)
    assert len(Tree(tmp_path / "set").names) == 240


def test_a_link_to_nowhere_is_one_unreadable_picture(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "set")
    (tmp_path / "set/nowhere.jpg").symlink_to("nothing.jpg")
    (tmp_path / "set/itself.jpg").symlink_to("itself.jpg")
    mapped = pack(Tree(tmp_path / "set"), 16, tmp_path / "cache", "set")
    assert len(mapped) == 120 and {name for name, _ in mapped.skipped} == {"nowhere.jpg", "itself.jpg"}


def test_what_passes_stops_instead_of_being_skipped_for_ever(tree, tmp_path, monkeypatch):
    def fails(path):
        raise OSError(errno.EIO, "Input/output error", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fails)
        with pytest.raises(OSError, match="Input/output error"):
            pack(Tree(tree), 16, tmp_path / "cache", "set", count=20)
    assert len(pack(Tree(tree), 16, tmp_path / "cache", "set", count=20)) == 20


def test_both_names_of_a_hard_link_are_in_a_tar(tree, tmp_path):
    shutil.copytree(tree, tmp_path / "set")
    (tmp_path / "set/twice.jpg").hardlink_to(tmp_path / "set/001.jpg")
    with tarfile.open(tmp_path / "set.tar", "w") as archive:
        archive.add(tmp_path / "set", "set")
    files = Tar(tmp_path / "set.tar", "set/")
    assert len(files.names) == 121 and files.read("twice.jpg") == files.read("001.jpg")


@pytest.mark.parametrize(
    ("one", "other", "overlapping"),
    [
        ("a", "a/", True), ("a", "a/val", True), ("a/train", "a", True), ("a", "./a", True),
        ("a/train", "a/val", False), ("a", "ab", False), ("s3://b/a", "s3://b/a/val", True),
        ("s3://b/train", "s3://b/val", False),
    ],
)  # fmt: skip
def test_pictures_to_score_on_are_never_among_those_to_train_on(tree, tmp_path, one, other, overlapping):
    assert overlap(one, other) is overlapping
    with pytest.raises(ValueError, match="one lies in the other"):
        Folder(root=str(tree), val_root=str(tree / "below"), cache_dir=str(tmp_path)).sources()


def test_a_changed_picture_is_another_place(tree, tmp_path):
    root = shutil.copytree(tree, tmp_path / "set")
    before = Tree(root).describe()
    assert Tree(root).describe() == before
    shutil.copy(root / "002.jpg", root / "001.jpg")
    assert Tree(root).describe() != before


def test_a_link_leads_to_the_same_place(tree, tmp_path):
    """Or every checkout with a link to the photos would pack them again."""
    archive = zipped(tree, tmp_path / "set.zip")
    (tmp_path / "link.zip").symlink_to(archive)
    (tmp_path / "link").symlink_to(tree)
    assert Zip(tmp_path / "link.zip", "set/").describe() == Zip(archive, "set/").describe()
    assert Tree(tmp_path / "link").describe() == Tree(tree).describe()


def test_parts_share_everything_and_nothing_twice(tree):
    cuts = (("test", None), ("val", 7))
    parts = {split: Part(Tree(tree), split, cuts).names for split in ("train", "val", "test")}
    assert {split: len(names) for split, names in parts.items()} == {"train": 101, "val": 7, "test": 12}
    assert sorted(chain(*parts.values())) == Tree(tree).names


def test_a_part_depends_on_names_alone(tree):
    """Pinned: another order would change every recorded subset."""
    part = Part(Tree(tree), "train", (("val", 10),))
    assert part.names[:4] == ["005.jpg", "062.jpg", "001.jpg", "025.jpg"]


@pytest.mark.parametrize(
    ("root", "said"),
    [
        (None, "data.root is not given; pass a folder"),
        ("nowhere", "data.root=nowhere: no such folder"),
        (__file__, "neither a folder nor a .zip or .tar"),
    ],
)
def test_a_wrong_root_says_what_to_pass(root, said):
    with pytest.raises((FileNotFoundError, ValueError), match=said) as error:
        files_at(root, "data.root")
    assert "data=scenes" in str(error.value)


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no pictures in there.*data=scenes"):
        _ = files_at(str(tmp_path), "data.root").names


def test_too_few_pictures_are_an_error(tree, tmp_path):
    shutil.copy(tree / "001.jpg", tmp_path)
    with pytest.raises(ValueError, match="1 pictures are too few"):
        _ = Part(Tree(tmp_path), "train", (("val", 500),)).names


def test_a_part_that_nothing_is_left_for_is_named(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "only.png")
    cuts = (("test", None), ("val", 500))
    assert Part(Tree(tmp_path), "test", cuts).names == ["only.png"]
    for split in ("val", "train"):
        with pytest.raises(ValueError, match=f"1 pictures are too few .* none is left for {split}"):
            Part(Tree(tmp_path), split, cuts).names  # noqa: B018
