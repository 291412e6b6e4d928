"""Files in an object store, each with its length and CRC.

Everything that obstore opens will do: s3://, gs://, az://, http(s):// (to read), and a plain folder.
Credentials and endpoints come from the environment (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...).
"""

import logging
import random
import time
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from colorization.config import InputError, installation

log = logging.getLogger(__name__)

ATTEMPTS = 4  # at an answer that came but is not what was put there
PATIENCE = timedelta(seconds=60)  # for a server that refuses or does not answer

Stamp = tuple[int, int]  # bytes, CRC-32


class Store:
    """A folder of an object store.

    Args:
        url: of the folder.
        make: whether a plain folder is made where it is missing.

    Raises:
        ValueError: no such kind of URL, or obstore is not installed.
        FileNotFoundError: a plain folder is missing.
    """

    def __init__(self, url: str, make: bool = False):
        self.url = url.rstrip("/")
        try:
            from obstore.store import LocalStore, from_url
        except ImportError as error:
            raise InputError(f"shards need obstore and litdata: {installation('stream')}") from error
        if "://" not in url:
            folder = Path(url).expanduser().absolute()
            if not (make or folder.is_dir()):
                raise FileNotFoundError(f"{folder} is not there")
            self._store: Any = LocalStore(folder, mkdir=make)
            return
        settings: Any = {"client_options": {"allow_http": True}}
        settings["retry_config"] = {"max_retries": 5, "retry_timeout": PATIENCE}
        try:
            self._store = from_url(self.url, **settings)
        except Exception as error:  # obstore's errors have no common base but this
            raise InputError(f"{url}: {_reason(error)}") from error

    def get(self, name: str, stamp: Stamp | None = None) -> bytes:
        """The content of a file.

        Args:
            name: relative to the folder.
            stamp: what it must have; another answer is asked for again.

        Raises:
            FileNotFoundError: it is not there.
            OSError: it cannot be had, or is not what was put there.
        """
        import obstore

        for attempt in range(ATTEMPTS):
            try:
                data = bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError as error:
                raise FileNotFoundError(f"{self.url}/{name} is not there") from error
            except Exception as error:
                raise OSError(f"{self.url}/{name} cannot be read: {_reason(error)}") from error
            if stamp is None or stamp_of(data) == tuple(stamp):
                return data
            log.debug("%s/%s is not what was put there; asking again", self.url, name)
            time.sleep(random.uniform(0.5, 1) * 0.25 * 2**attempt)
        assert stamp
        came, put = (f"{length} bytes with CRC-32 {crc:08x}" for length, crc in (stamp_of(data), stamp))
        raise OSError(f"{self.url}/{name} is damaged: {came} came, {put} were written; write it again")

    def put(self, name: str, data: bytes) -> Stamp:
        """Write a file whole, and tell its stamp.

        Raises:
            OSError: it cannot be written.
        """
        import obstore

        try:
            obstore.put(self._store, name, data)
        except Exception as error:
            raise OSError(f"{self.url}/{name} cannot be written: {_reason(error)}") from error
        return stamp_of(data)


def stamp_of(data: bytes) -> Stamp:
    """Length and CRC-32."""
    return len(data), zlib.crc32(data)


def _reason(error: Exception) -> str:
    """What obstore says, without the debugging output that follows."""
    return str(error).split("\n")[0].strip() or type(error).__name__
