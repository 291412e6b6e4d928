"""A network goes to the hub and comes back, by a stand-in for its HTTP interface on the loopback."""

import base64
import json
import threading
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants as constants
import numpy as np
import pytest
import skimage.data

import colorization
from colorization.config import ConfigError
from colorization.reopen import open_run
from tests.exported.conftest import saved

FILES = "/{repo_id}/resolve/{revision}/{filename}"
COMMIT = "0123456789" * 4
PHOTO = skimage.data.coffee()[100:160, 200:281].copy()


class Hub(BaseHTTPRequestHandler):
    """Repositories in memory: {name: {path: bytes}}; answers only to the right token."""

    repositories: dict[str, dict[str, bytes]]
    private: dict[str, bool]

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.headers.get("Authorization") != "Bearer right":
            return self.answer(401, {"error": "Invalid credentials"})
        if self.path == "/api/repos/create":
            asked = json.loads(data)
            name = f"{asked.get('organization', 'me')}/{asked['name'].rpartition('/')[2]}"
            self.repositories.setdefault(name, {})
            self.private[name] = asked.get("visibility") == "private" or bool(asked.get("private"))
            return self.answer(200, {"url": f"{self.place}/{name}", "id": name})
        if self.path == "/api/validate-yaml":
            assert json.loads(data)["content"].startswith("---\n")
            return self.answer(200, {"errors": [], "warnings": []})
        name = "/".join(self.path.split("/")[3:5])
        if "/preupload/" in self.path:
            kinds = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(data)["files"]
            ]
            return self.answer(200, {"files": kinds})
        for line in map(json.loads, data.splitlines()):
            if line["key"] == "file":
                self.repositories[name][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        address = f"{self.place}/{name}/commit/{COMMIT}"
        return self.answer(200, {"success": True, "commitOid": COMMIT, "commitUrl": address})

    def do_GET(self):
        parts = self.path.split("?")[0].split("/")
        files = self.repositories.get("/".join(parts[1:3]))
        if files is None:
            return self.answer(401, {}, ("X-Error-Code", "RepoNotFound"))
        if parts[-1] not in files:
            return self.answer(404, {}, ("X-Error-Code", "EntryNotFound"))
        content = files[parts[-1]]
        return self.answer(
            200, content, ("ETag", f'"{sha1(content).hexdigest()}"'), ("X-Repo-Commit", COMMIT)
        )

    do_HEAD = do_GET

    @property
    def place(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, status, content, *headers):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content)))]:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *words):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    handler = type("Here", (Hub,), {"repositories": {}, "private": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setattr(constants, "ENDPOINT", place)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", place + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", "right")
    yield handler
    server.shutdown()
    server.server_close()


def test_a_network_goes_there_and_comes_back(hub, small, exports, tmp_path):
    exports(small, tmp_path / "mine.pt", "format=torchscript", "push=me/my-colours", "licence=cc-by-4.0")
    there = hub.repositories["me/my-colours"]
    assert set(there) == {"model.safetensors", "model.pt", "README.md"} and hub.private["me/my-colours"]
    card = there["README.md"].decode()
    assert (
        card.startswith("---\nlicense: cc-by-4.0\n") and "_target_: colorization.model.encoder_unet" in card
    )
    assert 'colorization.load("hf://me/my-colours")' in card and "`model.pt`" in card
    model = colorization.load("hf://me/my-colours", device="cpu")
    assert model.name == "my-colours" and model.size == 64
    expected = colorization.load(small, device="cpu")(PHOTO, size=64).astype(int)
    assert np.abs(model(PHOTO).astype(int) - expected).mean() < 1  # convolutions in half precision
    hub.repositories.clear()
    assert open_run("hf://me/my-colours").folder.name == "my-colours"  # from the cache


def test_the_card_has_the_scores_of_the_runs_evaluations(hub, exports, tmp_path):
    (tmp_path / "good/checkpoints").mkdir(parents=True)
    saved(tmp_path / "good/checkpoints/best.ckpt", "model=cnn", "data.cache_dir=/secret/place")
    table = tmp_path / "good/evaluation/made_test"
    table.mkdir(parents=True)
    summary = {
        "protocol": "v1", "data": "made", "split": "test", "pictures": 40, "metrics": {"psnr": 24.5678},
        "baselines": {"grey": {"metrics": {"psnr": 20.0}}},
    }  # fmt: skip
    (table / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    exports(
        tmp_path / "good",
        tmp_path / "good.safetensors",
        "format=safetensors",
        "push=me/good",
        "private=false",
    )
    card = hub.repositories["me/good"]["README.md"].decode()
    assert "# good" in card and "40 pictures of made test" in card and "| this network | 24.568 |" in card
    assert "| grey | 20.000 |" in card and "No licence is given" in card and "/secret" not in card
    assert set(hub.repositories["me/good"]) == {"model.safetensors", "README.md"}
    assert hub.private["me/good"] is False


def test_the_boxs_card_goes_with_it(exports, hub, tmp_path):
    exports("box", tmp_path / "b.safetensors", "format=safetensors", "push=me/box")
    card = hub.repositories["me/box"]["README.md"].decode()
    assert card.startswith("---\nlicense: apache-2.0\n") and "What it does badly" in card


def test_what_goes_wrong_is_said_in_words(hub, small, exports, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="run=hf://me/nothing: there is no me/nothing on the hub"):
        open_run("hf://me/nothing")
    hub.repositories["me/other"] = {"README.md": b"not ours"}
    with pytest.raises(ConfigError, match=r"me/other holds no model.safetensors"):
        open_run("hf://me/other")
    hub.repositories["me/other"]["model.safetensors"] = b"not ours"
    with pytest.raises(ConfigError, match=r"not a checkpoint of this project"):
        open_run("hf://me/other")
    with pytest.raises(ConfigError, match="run=hf://nobody: should be OWNER/NAME"):
        open_run("hf://nobody")
    monkeypatch.setenv("HF_TOKEN", "wrong")
    with pytest.raises(ConfigError, match="push=me/mine: the hub wants a token"):
        exports(small, tmp_path / "a.safetensors", "format=safetensors", "push=me/mine")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"http://127.0.0.1:9{FILES}")
    with pytest.raises(ConfigError, match="run=hf://me/far: no way to the hub"):
        open_run("hf://me/far")
