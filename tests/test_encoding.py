"""Text files are UTF-8 whatever the system's own encoding is, and file names need not be."""

import ast
import os
import subprocess
import sys
import unicodedata

import pytest

from colorization.data.folder import Folder
from colorization.files import read_csv, write_csv
from tests.conftest import ROOT
from tests.data.conftest import encoded

FOLDERS = ("colorization", "tests", "benchmarks", "experiments")
PICTURES = ("Image", "tarfile", "tab", "os")  # whose open() is not that of a text file

LATIN = os.fsdecode(b"caf\xe9.jpg")  # not UTF-8
ODD = (LATIN, *(unicodedata.normalize(form, "caf\u00e9.jpg") for form in ("NFC", "NFD")))


def reads_or_writes_text(call):
    """Whether a call opens a text file, as far as its own words tell."""
    method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if method else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return method  # functions of that name are colorization.files'
    if name != "open" or getattr(getattr(call.func, "value", None), "id", "") in PICTURES:
        return False
    words = [word.value for word in call.args if isinstance(word, ast.Constant)]
    return not any("b" in word for word in words) and len(words) == len(call.args)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_file_is_opened_with_its_encoding(folder):
    faults = []
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and reads_or_writes_text(node):
                said = any(keyword.arg in ("encoding", None) for keyword in node.keywords)
                faults += [] if said else [f"{path.relative_to(ROOT)}:{node.lineno}"]
    assert not faults


@pytest.fixture
def album(tmp_path):
    """Two folders of pictures with Latin-1 names, and one name in two normal forms, beside plain ones."""
    for part, plain in (("learn", 30), ("score", 3)):
        (tmp_path / part).mkdir()
        for i, name in enumerate((*ODD, *(f"{i:02}.jpg" for i in range(plain)))):
            (tmp_path / part / name).write_bytes(encoded(i))
    return lambda cache: Folder(
        root=f"{tmp_path}/learn", val_root=f"{tmp_path}/score", cache_dir=f"{tmp_path}/{cache}", image_size=32
    )


def test_a_pack_records_every_name_as_it_is(album):
    names = [album("cache").pack(split).names for split in ("train", "val", "test")]
    assert {*ODD} < {*names[0], *names[1]} and {*ODD} < {*names[2]}
    assert [len(part) for part in names] == [30, 3, 6]
    assert album("cache").pack("test").names == names[2]


def test_a_table_records_every_name_as_it_is(tmp_path):
    write_csv(tmp_path / "pictures.csv", [{"name": name, "psnr": 20.5} for name in ODD])
    assert [row["name"] for row in read_csv(tmp_path / "pictures.csv")] == [*ODD]
    assert (tmp_path / "pictures.csv").read_bytes().count(b"caf\xe9") == 1


def test_a_run_where_the_system_is_ascii(small, album, tmp_path):
    """Trained and scored, with such names in every split."""
    data = [
        "data=folder",
        "data.root=learn",
        "data.val_root=score",
        "data.cache_dir=cache",
        "data.image_size=32",
    ]
    settings = [*data, "data.batch_size=8", "run.dir=run", *(s for s in small if not s.startswith("data"))]
    system = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(ROOT)}
    system |= {"PYTHONIOENCODING": "utf-8"}  # a terminal is no file
    command = [sys.executable, "-m", "colorization.train", *settings]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | system, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "run" / "evaluation").iterdir()
    names = {os.fsencode(path.name) for path in (tmp_path / "score").iterdir()}
    for table in ("manifest", "pictures"):
        assert {os.fsencode(row["name"]) for row in read_csv(folder / f"{table}.csv")} == names
