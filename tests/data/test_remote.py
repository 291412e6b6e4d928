"""A loopback server that misbehaves in every way that the wide world knows."""

import threading
import zipfile
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from colorization.data import remote, remote_zip
from colorization.data.archive import Zip
from colorization.data.coco import COCO
from colorization.data.folder import files_at
from colorization.data.pack import pack
from colorization.data.remote_tree import RemoteTree
from colorization.data.remote_zip import RemoteZip
from colorization.data.source import Tree


class Server(ThreadingHTTPServer):
    """Serves files from memory; `faults` counts down through what goes wrong."""

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.sent, self.ranges = dict(files), 0, True
        self.draw, self.cut, self.refuse = np.random.default_rng(0), 0.0, 0.0
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.daemon_threads = True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        server, data = self.server, self.server.files.get(self.path)
        luck = server.draw.uniform() if body else 1
        if data is None or luck < server.refuse:
            self.send_response(404 if data is None else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        whole, wanted = len(data), self.headers.get("Range")
        if wanted and server.ranges:
            start, stop = wanted.removeprefix("bytes=").split("-")
            data = data[int(start) : int(stop) + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{int(start) + len(data) - 1}/{whole}")
        else:
            self.send_response(200)
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body and luck < server.refuse + server.cut:
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        elif body:
            self.wfile.write(data)
            server.sent += len(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.0)
    for name in ("train2017", "val2017"):
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for file in sorted(tree.rglob("*.*g")):
                archive.write(file, f"{name}/{file.relative_to(tree)}")
    files = {f"/zips/{n}.zip": (tmp_path / f"{n}.zip").read_bytes() for n in ("train2017", "val2017")}
    made = Server(files)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def train(server):
    return RemoteZip(f"{server.url}/zips/train2017.zip", "train2017/")


def test_names_and_bytes_are_the_archives(server, tree):
    files = train(server)
    assert files.names == Tree(tree).names
    assert list(files.fetch(files.names[::-1])) == [(tree / name).read_bytes() for name in files.names[::-1]]
    assert files.read("001.jpg") == (tree / "001.jpg").read_bytes()


def test_only_what_is_asked_for_is_moved(server):
    files = train(server)
    wanted = files.names[1::2]
    server.sent = 0
    pictures = list(files.fetch(wanted))
    assert server.sent <= 1.1 * files.length(wanted)
    assert files.length(wanted) <= sum(map(len, pictures)) + 200 * len(pictures)


def test_neighbours_share_a_request(server):
    files = train(server)
    requests = files.requests(files.names)
    assert sorted(chain(*(request.names for request in requests))) == files.names
    assert len(requests) < len(files.names) / 10


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(picks=st.sets(st.integers(0, 119), min_size=1))
def test_spans_never_cost_more_than_single_files(server, picks):
    """No more requests than pictures, each picture in one of them, and few bytes in vain."""
    files = train(server)
    wanted = [files.names[i] for i in picks]
    requests = files.requests(wanted)
    assert len(requests) <= len(wanted)
    assert sorted(name for request in requests for name in request.names) == sorted(wanted)
    assert sum(r.stop - r.start for r in requests) <= (1 + remote_zip.WASTE) * files.length(wanted)


def test_cut_and_refused_answers_lead_to_the_same_pack(server, tmp_path):
    server.cut = server.refuse = 0.15
    moved = pack(train(server), 16, tmp_path / "remote", "set", workers=2)
    local = pack(Zip(tmp_path / "train2017.zip", "train2017/"), 16, tmp_path / "local", "set", workers=2)
    assert np.array_equal(moved.pictures, local.pictures)
    assert moved.fingerprint == local.fingerprint
    assert (moved.folder / "rows.jsonl").read_bytes() == (local.folder / "rows.jsonl").read_bytes()


def test_a_server_that_ignores_ranges_is_one_clear_error(server):
    server.ranges = False
    with pytest.raises(OSError, match=r"train2017.zip cannot be read: .*range requests"):
        _ = train(server).names


def test_a_server_that_is_down_is_one_clear_error(server, tmp_path):
    server.refuse = 1.0
    with pytest.raises(OSError, match=r"train2017.zip cannot be read: 503"):
        _ = train(server).names


def test_a_file_that_is_not_there_is_asked_for_once(server):
    with pytest.raises(OSError, match=r"nothing.zip cannot be read: 404"):
        _ = RemoteZip(f"{server.url}/nothing.zip").names


def test_a_truncated_archive_is_one_clear_error(server):
    server.files["/zips/train2017.zip"] = server.files["/zips/train2017.zip"][:-3000]
    with pytest.raises(ValueError, match="a damaged or unfinished zip archive"):
        _ = train(server).names


def test_an_archive_that_is_swapped_meanwhile_is_one_clear_error(server, tmp_path):
    files = train(server)
    _ = files.names
    server.files["/zips/train2017.zip"] = server.files["/zips/train2017.zip"][::-1]
    with pytest.raises(OSError, match=r"cannot be read: .*the archive is damaged"):
        pack(files, 16, tmp_path / "cache", "set")


def test_a_member_that_is_damaged_in_the_archive_is_skipped_as_it_is_locally(server, tmp_path):
    path = tmp_path / "train2017.zip"
    whole = Zip(path, "train2017/")
    member = whole.members["train2017/" + whole.names[3]]
    data = bytearray(path.read_bytes())
    data[member.stop - 20] ^= 255
    path.write_bytes(data)
    server.files["/zips/train2017.zip"] = bytes(data)
    moved = pack(train(server), 16, tmp_path / "remote", "set")
    local = pack(Zip(path, "train2017/"), 16, tmp_path / "local", "set")
    assert moved.skipped == local.skipped and [name for name, _ in moved.skipped] == [whole.names[3]]
    assert np.array_equal(moved.pictures, local.pictures)


def test_the_first_answer_may_fail_too(server):
    server.refuse = 0.4
    assert train(server)._state[0] == len(server.files["/zips/train2017.zip"])


def test_who_stops_waits_for_no_further_attempt(server, monkeypatch):
    """As Ctrl-C does while the server refuses."""
    files = train(server)
    _ = files.names
    monkeypatch.setattr(remote, "FIRST_PAUSE", 3600.0)
    server.refuse = 1.0
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(OSError, match="cannot be read: 503"):
        files._get(files.requests(files.names[:1])[0], stop.wait)


def test_coco_is_read_in_place_where_there_is_none(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def made(**settings):
        return COCO(image_size=16, subset=20, cache_dir=str(tmp_path / "cache"), **settings)

    moved, local = made(url=server.url), made(root=str(tmp_path))
    for split in ("train", "val", "test"):
        assert moved.fingerprint(split) == local.fingerprint(split)
    server.shutdown()
    assert len(made(url=server.url).pack("train")) == 20
    with pytest.raises(FileNotFoundError, match="data=scenes"):
        made(root="elsewhere", url=server.url).sources()


def test_a_folder_that_a_server_lists_by_names_alone(tree, tmp_path):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tree))) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        moved = pack(files_at(f"http://127.0.0.1:{made.server_port}", "data.root"), 16, tmp_path / "a", "set")
        made.shutdown()
    assert np.array_equal(moved.pictures, pack(Tree(tree), 16, tmp_path / "b", "set").pictures)


@pytest.mark.parametrize(
    ("url", "kind"), [("h/a.zip?sig=1", RemoteZip), ("h/A.ZIP", RemoteZip), ("h/a", RemoteTree)]
)
def test_an_archive_is_known_by_its_path(url, kind):
    assert type(files_at(f"http://{url}", "data.root")) is kind
    with pytest.raises(ValueError, match=r"only a \.zip is read at a URL"):
        files_at("http://h/a.tar.gz", "data.root")


def test_a_folder_at_a_url(tree):
    files = files_at(f"file://{tree}", "data.root")
    assert isinstance(files, RemoteTree)
    assert files.names == Tree(tree).names
    assert list(files.fetch(files.names[:30])) == [(tree / name).read_bytes() for name in files.names[:30]]
