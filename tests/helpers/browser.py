"""A headless Chromium, driven by its DevTools protocol over two pipes: no driver and no package is needed."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRAM = "chromium"
INSTALL = f"sudo apt-get install {PROGRAM}"

_SECONDS = 60
_READ, _WRITE = 3, 4  # where Chromium looks for the pipes
_TEMPORARY = 20  # the least number of a descriptor that is neither


class BrowserError(Exception):
    """The browser does not answer, or answers with an error."""


def find() -> str | None:
    """Return the path of the browser, or None."""
    return shutil.which(PROGRAM)


@dataclass
class Tab:
    """A page that is open.

    Attributes:
        browser: The browser.
        session: Its name for the tab.
        said: What the page has printed or complained of, a line each.
    """

    browser: Browser
    session: str
    said: list[str] = field(default_factory=list)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to a command of the protocol."""
        return self.browser.call(method, parameters, self)

    def open(self, path: Path, width: int, height: int, *, dark: bool = False, phone: bool = False) -> None:
        """Open a file in a window of some size, in CSS pixels."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.browser.until(lambda: self.value("document.readyState") == "complete", "the page to load")

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the page, which need not allow scripts."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise BrowserError(json.dumps(found["exceptionDetails"])[:1000])
        return found["result"].get("value")

    def picture(self, path: Path, height: int | None = None) -> None:
        """Write a picture of the whole page, or of so much of its top."""
        size = self.value("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": size[0], "height": min(size[1], height or 16000), "scale": 1}
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(found["data"]))


class Browser:
    """A running browser; :func:`running` starts it and ends it."""

    def __init__(self, sink: int, source: int) -> None:
        self._sink, self._source = sink, source
        self._buffer = b""
        self._count = 0
        self._tabs: dict[str, Tab] = {}

    def tab(self) -> Tab:
        """Open an empty tab."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        return tab

    def call(self, method: str, parameters: dict[str, Any], tab: Tab | None = None) -> dict[str, Any]:
        """Return the answer to a command; what a tab says meanwhile is noted in it."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if tab is not None:
            message["sessionId"] = tab.session
        os.write(self._sink, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def until(self, condition: Any, what: str) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > end:
                raise BrowserError(f"waited {_SECONDS} s for {what}")
            time.sleep(0.02)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._source], [], [], _SECONDS)[0]:
                raise BrowserError(f"no answer in {_SECONDS} s")
            data = os.read(self._source, 1 << 20)
            if not data:
                raise BrowserError("the browser has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def _note(self, event: dict[str, Any]) -> None:
        tab, parameters = self._tabs.get(event.get("sessionId", "")), event.get("params", {})
        if tab is None:
            return
        if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            tab.said.append(json.dumps(parameters)[:500])
        elif event["method"] == "Log.entryAdded":
            entry = parameters["entry"]
            tab.said.append(f"{entry['level']}: {entry['text']}")
        elif event["method"] == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith(("file:", "data:")):
                tab.said.append(f"asks for {url}")


@contextlib.contextmanager
def running(program: str) -> Iterator[Browser]:
    """Start a browser with a profile of its own, and end it.

    Args:
        program: The path of Chromium.

    Raises:
        BrowserError: It does not answer.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ends = [*os.pipe(), *os.pipe()]
        theirs_in, ours_out, ours_in, theirs_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _TEMPORARY) for end in ends)
        for end in ends:
            os.close(end)

        def hand_over() -> None:
            os.dup2(theirs_in, _READ)
            os.dup2(theirs_out, _WRITE)

        options = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--disable-gpu"]
        options += ["--no-first-run", "--disable-background-networking", "--hide-scrollbars", "--disable-dev-shm-usage"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium refuses to start as root with one
        process = subprocess.Popen(
            [program, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=hand_over,
            pass_fds=(_READ, _WRITE),
        )
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Browser(ours_out, ours_in)
        finally:
            os.close(ours_out)
            os.close(ours_in)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
