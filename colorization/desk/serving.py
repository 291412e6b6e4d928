"""The page, served: to this computer, without telemetry, by way of a folder that is gone in the end."""

import importlib.util
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from colorization.config import ConfigError, installation
from colorization.desk.sitting import Studio
from colorization.picture.writing import Writer

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SILENT = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}

log = logging.getLogger(__name__)


def with_gradio() -> None:
    """Raise a ConfigError where Gradio is not installed."""
    if importlib.util.find_spec("gradio") is None:
        raise ConfigError([f"the studio's page needs Gradio: {installation('studio')}"])


def listening(host: str, port: int) -> None:
    """Raise a ConfigError where nothing can listen there."""
    try:
        with socket.create_server((host, port)):
            pass
    except (OSError, OverflowError) as error:
        other = port + 1 if port < 65535 else 7860
        remedy = f"is a studio running already? choose another, port={other}"
        raise ConfigError([f"host={host} port={port}: {error}; {remedy}"]) from error


@contextmanager
def served(
    studios: Sequence[Studio], writer: Writer, host: str, port: int, largest: int = 200, browser: bool = False
) -> Iterator[str]:
    """A page of one studio or more, for as long as the block lasts: gives its address.

    What browsers send and fetch lies in a temporary folder, which is removed in the end.

    Args:
        studios: colour the photos, each with a network of its own.
        writer: how they are written.
        host: the address that is listened on.
        port: of it.
        largest: megabytes of a file that is taken.
        browser: whether the page is opened.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # Gradio asks itself whether it is there
    with TemporaryDirectory(prefix="colorization_studio_", ignore_cleanup_errors=True) as folder:
        os.environ.update(SILENT | {"GRADIO_TEMP_DIR": folder})  # which Gradio reads as it is imported
        from colorization.desk.answers import Answers
        from colorization.desk.page import page
        from colorization.desk.parts import LOOKS

        answers = Answers(studios, writer, Path(folder), largest)
        blocks = page(answers)
        blocks.launch(
            server_name=host, server_port=port, inbrowser=browser, max_file_size=f"{largest}mb", share=False,
            ssr_mode=False, pwa=False, mcp_server=False, run_history=False, enable_monitoring=False,
            footer_links=[], quiet=True, prevent_thread_lock=True, css=LOOKS,
        )  # fmt: skip
        try:
            yield str(blocks.local_url)
        finally:
            answers.shift.end()
            blocks.close(verbose=False)


def until_ended() -> None:
    """Wait for Ctrl-C or SIGTERM, the first of which leaves time to clear up, whatever comes after it."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def first(*_: object) -> None:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in signals:
        signal.signal(number, first)
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
