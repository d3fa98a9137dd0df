"""A terminal in which a command runs, for tests that type and look."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
# Nothing is to last so long, also where all cores are at work.
TIMEOUT = 120.0


class Terminal:
    """A pseudo-terminal with a program in it."""

    def __init__(self, arguments: list[str], environment: dict[str, str], columns: int = 100) -> None:
        self.master, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))

        def control() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [sys.executable, "-m", "kecoa", *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            env=environment,
            preexec_fn=control,
        )
        os.close(child)
        self.raw = ""
        self.mark = 0

    def type(self, text: str) -> None:
        """Type text; Enter is a carriage return."""
        self.mark = len(self.raw)
        os.write(self.master, text.replace("\n", "\r").encode())

    def read(self, wait: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], wait)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)

    def shown(self) -> str:
        """Return what came since the last typing, without escapes."""
        return ESCAPES.sub("", self.raw[self.mark :]).replace("\r", "")

    def until(self, pattern: str) -> str:
        """Read until the pattern is found in what came since the last typing, and return that."""
        end = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.shown()):
            if time.monotonic() > end or (not self.read(0.2) and self.process.poll() is not None):
                raise AssertionError(f"expected {pattern!r}, found {self.shown()!r}")
        return self.shown()

    def status(self) -> int:
        """Wait for the program's end, and return its exit status as a shell says it: 130 for Ctrl-C."""
        end = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"expected the end of the program, found {self.shown()!r}")
            self.read(0.1)
        status = self.process.wait()
        return status if status >= 0 else 128 - status

    def close(self) -> None:
        """End the program if it runs."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
