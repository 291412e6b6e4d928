"""A loopback object store: as much of S3's protocol as reading and writing whole objects needs."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class ObjectStore(ThreadingHTTPServer):
    """Objects by "/BUCKET/KEY", in memory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """What tells S3 clients to come here."""
        url = f"http://127.0.0.1:{self.server_port}"
        keys = {"AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything"}
        return keys | {"AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "no_proxy": "127.0.0.1"}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ObjectStore

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.path).path)

    def do_PUT(self) -> None:
        self.server.objects[self.key] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"")

    def do_GET(self) -> None:
        self.server.asked.append(self.key)
        data = self.server.objects.get(self.key)
        self.answer(404, b"") if data is None else self.answer(200, data)

    def answer(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.md5(data).hexdigest()}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[ObjectStore]:
    """An empty object store."""
    store = ObjectStore()
    threading.Thread(target=store.serve_forever, daemon=True).start()
    try:
        yield store
    finally:
        store.shutdown()
        store.server_close()
