"""Packing COCO over a bad network: python -m benchmarks.loopback [ROOT] [PICTURES].

A server on this machine publishes the train2017.zip and val2017.zip of ROOT, or of made pictures. Among
each twenty of its answers one is a 503, and one ends half-way.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from benchmarks.pictures import photos
from benchmarks.proof import archived, contents, finished, started, table, verdict, workplace
from colorization.data.archive import Zip

EVERY = 20  # answers, of which one is refused and one is cut
MOST = 1.1  # bytes moved for each that is needed


class Server(ThreadingHTTPServer):
    """Publishes zips as COCO does, and counts what it does."""

    daemon_threads = True

    def __init__(self, root: Path):
        super().__init__(("127.0.0.1", 0), Answer)
        self.root, self.counts, self.lock = root, Counter(), threading.Lock()
        self.draw, self.fates = np.random.default_rng(0), []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def fate(self) -> str:
        """What becomes of the next answer; "" is no mishap."""
        with self.lock:
            if not self.fates:
                self.fates = list(self.draw.permutation(["refused", "cut"] + [""] * (EVERY - 2)))
            return self.fates.pop()

    def count(self, what: str, more: int = 1) -> None:
        """Add to one of the counts."""
        with self.lock:
            self.counts[what] += more

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is no error."""


class Answer(BaseHTTPRequestHandler):
    """Answers to one connection: spans of files, some of them spoilt."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        send = self.wfile.write
        self.wfile.write = lambda data: self.server.count("bytes", len(data)) or send(data)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        fate, path = self.server.fate(), self.server.root / Path(self.path).name
        self.server.count("requests")
        self.server.count(fate)
        if fate == "refused":
            self.begin(503, 0)
            return
        start, stop = self.span(path.stat().st_size)
        self.begin(206 if "Range" in self.headers else 200, stop - start)
        if not body:
            return
        if fate == "cut":
            stop, self.close_connection = (start + stop) // 2, True
        with path.open("rb") as file:
            file.seek(start)
            self.wfile.write(file.read(stop - start))

    def span(self, size: int) -> tuple[int, int]:
        """The bytes that are asked for."""
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        return int(first), min(int(last or size), size - 1) + 1

    def begin(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *arguments) -> None:
        """Nothing."""


def main(root: str | None = None, pictures: str | None = None) -> None:
    subset = int(pictures or (20_000 if root else 2_000))
    with workplace() as folder:
        published = Path(root).absolute() if root else coco(folder)
        packed(folder, "local", subset, f"data.root={published}")
        server = Server(published)
        began = time.perf_counter()
        packed(folder, "moved", subset, f"data.url={server.url}")
        seconds = time.perf_counter() - began
        needed = encoded_bytes(folder / "moved")
        local, moved = contents(folder / "local"), contents(folder / "moved")
    counts = server.counts
    rows = {
        "pictures packed": f"{sum(pack.pictures for pack in moved.values()):,}",
        "requests": f"{counts['requests']:,}",
        "answered by a 503": f"{counts['refused']:,}",
        "cut half-way": f"{counts['cut']:,}",
        "bytes of the pictures": f"{needed:,}",
        "bytes moved, headers and directories too": f"{counts['bytes']:,}",
        "moved for each byte needed": f"{counts['bytes'] / needed:.4f}",
        "seconds": f"{seconds:.1f}",
        "fingerprints": ", ".join(pack.fingerprint for pack in moved.values()),
    }
    print(table("Packing over a bad network", ("", ""), rows.items()))
    verdict(
        {
            "each pack equals, bit for bit, the pack of the local files": local == moved,
            f"at most {MOST} bytes are moved for each that is needed": counts["bytes"] <= MOST * needed,
        }
    )


def packed(folder: Path, cache: str, subset: int, place: str) -> None:
    """Prepare a subset of what lies at a place."""
    finished(started("prepare", folder, place, f"data.subset={subset}", f"data.cache_dir={cache}"), folder)


def coco(folder: Path) -> Path:
    """Archives laid out as COCO's: 2,200 and 100 small pictures."""
    made = Zip(photos(folder, 2_300, size=(160, 120)))
    for name, names in (("train2017", made.names[:2200]), ("val2017", made.names[2200:])):
        archived(folder / f"{name}.zip", ((f"{name}/{picture}", made.read(picture)) for picture in names))
    return folder


def encoded_bytes(cache: Path) -> int:
    """What all packed pictures take as they were stored."""
    rows = (
        row for path in cache.glob("*/rows.jsonl") for row in path.read_text(encoding="utf-8").splitlines()
    )
    return sum(json.loads(row)[3] for row in rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
