"""A page in a Chromium without a window, whose microphone plays a recording; driven by the DevTools protocol."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LISTENING = re.compile(r"DevTools listening on ws://([^/]+)/")
SECONDS = 60  # that Chromium has to start


def find_browser() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """A page that is open."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection, self._numbers = connection, itertools.count(1)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, as if the user had touched the page."""
        number = next(self._numbers)
        parameters = {"expression": expression, "returnByValue": True, "awaitPromise": True, "userGesture": True}
        self._connection.send(json.dumps({"id": number, "method": "Runtime.evaluate", "params": parameters}))
        while (answer := json.loads(self._connection.recv(SECONDS))).get("id") != number:
            pass
        assert "exceptionDetails" not in answer["result"], answer["result"]["exceptionDetails"]
        return answer["result"]["result"].get("value")

    def wait_for(self, expression: str, seconds: float) -> Any:
        """Its value as soon as it is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.evaluate(expression)):
            assert time.monotonic() < deadline, f"{expression} is {value} after {seconds} s"
            time.sleep(0.1)
        return value


@contextmanager
def page(browser: str, url: str, microphone: Path, folder: Path) -> Iterator[Page]:
    """While the page is open; ``folder``: for what the browser writes."""
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}%noloop", "--autoplay-policy=no-user-gesture-required",
    ]  # fmt: skip
    log = folder / "log"
    with open(log, "w") as file:
        process = subprocess.Popen(command, stderr=file, stdout=file)
    try:
        address = _address(process, log)
        request = urllib.request.Request(f"http://{address}/json/new?{url}", method="PUT")
        with urllib.request.urlopen(request) as response:
            debugger = json.load(response)["webSocketDebuggerUrl"]
        with connect(debugger, max_size=None) as connection:
            made = Page(connection)
            made.wait_for("location.protocol === 'http:' && document.readyState === 'complete'", SECONDS)
            yield made
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + SECONDS
    while (found := LISTENING.search(log.read_text())) is None:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return found[1]
