"""Chromium, driven through its own protocol over a pipe: pages are opened, keys are really pressed."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
           "--disable-sync", "--remote-debugging-pipe")  # fmt: skip
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}


class Tab:
    """One page of a headless Chromium."""

    def __init__(self, process: subprocess.Popen[bytes], to: int, back: int):
        self.process, self.to, self.back = process, to, back
        self.count, self.rest, self.session = 0, b"", ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self.count += 1
        asked = {"id": self.count, "method": method, "params": parameters}
        if self.session:
            asked["sessionId"] = self.session
        os.write(self.to, json.dumps(asked).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self.count:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def _message(self) -> bytes:
        while b"\0" not in self.rest:
            self.rest += os.read(self.back, 1 << 20)
        message, self.rest = self.rest.split(b"\0", 1)
        return message

    def open(self, page: Path, width: int, height: int, phone: bool = False) -> None:
        """Load a file on a screen of this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, mobile=phone,
                  deviceScaleFactor=2 if phone else 1)  # fmt: skip
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression; an exception there is one here."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, seconds: float = 20) -> None:
        """Wait for an expression to become true."""
        end = time.monotonic() + seconds
        while not self.ask(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def press(self, key: str, count: int = 1) -> None:
        """Press a key as a hand does."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        if key == "Enter":
            about["text"] = "\r"
        for _ in range(count):
            self.call("Input.dispatchKeyEvent", type="keyDown", **about)
            self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def shot(self, path: Path, y: int = 0, width: int = 1280, height: int = 900, scale: float = 1) -> Path:
        """A picture of a part of the page."""
        clip = {"x": 0, "y": y, "width": width, "height": height, "scale": scale}
        answer = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))
        return path


@contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """Start Chromium for as long as the block lasts."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    assert program, "this test opens a page in Chromium: apt-get install chromium"
    ours, to, back, theirs = *os.pipe(), *os.pipe()
    command = f'exec "$0" "$@" 3<&{ours} 4>&{theirs}'  # Chromium reads from 3 and writes to 4
    process = subprocess.Popen(
        ["bash", "-c", command, program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(ours, theirs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    try:
        yield Tab(process, to, back)
    finally:
        process.terminate()
        process.wait(20)
        os.close(to)
        os.close(back)
