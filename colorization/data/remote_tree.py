"""A folder of pictures at a URL whose server lists it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from colorization.data.remote import REQUESTS, Answer, Remote, Span


class RemoteTree(Remote):
    """A folder of pictures at a URL whose server lists it: s3://, gs://, hf://, file://."""

    @cached_property
    def _sizes(self) -> dict[str, int]:
        fs, path = self._remote
        files = self._insist(lambda: fs.find(path, detail=True), self.url)
        root = path.rstrip("/") + "/"
        with ThreadPoolExecutor(REQUESTS, "remote") as threads:  # some servers list names alone
            sizes = threads.map(lambda name: files[name].get("size") or self._size(name), files)
            return {name.removeprefix(root): size for name, size in zip(files, sizes, strict=True)}

    def _size(self, name: str) -> int:
        fs, _ = self._remote
        return self._insist(lambda: fs.info(name), name).get("size") or 0

    def place(self) -> list[Any]:
        """The URL, and where it may change the names and lengths of what is there."""
        return [self.url] if self.fixed else [self.url, sorted(self._sizes.items())]

    def paths(self) -> Iterator[str]:
        """The files below the URL."""
        return iter(self._sizes)

    def length(self, names: Sequence[str]) -> int:
        """Bytes of the files."""
        return sum(self._sizes[name] for name in names)

    def requests(self, names: Sequence[str]) -> list[Span]:
        """A file each."""
        root = self._remote[1].rstrip("/")
        return [Span(f"{root}/{name}", 0, self._sizes[name], [name]) for name in names]

    def pictures(self, request: Span, data: bytes) -> Answer:
        """The file."""
        (name,) = request.names
        return {name: data}
