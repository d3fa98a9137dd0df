"""Commands in a home of their own, in a terminal or without one, and a host that never answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..terminal import TIMEOUT, Terminal

# What may be set where the tests run, and changes what commands do.
UNSET = ("CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "DATABASE_URL", "KECOA_POSTGRES", "MONGODB_URL", "NO_COLOR")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that names no database and no colours."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("PG") and name not in UNSET
    }
    return {**kept, "KECOA_HOME": str(tmp_path / "home"), "TERM": "xterm-256color"}


@pytest.fixture
def command(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command to its end, without a terminal."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments],
            stdin=subprocess.DEVNULL,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    return run


class Piped:
    """A command that runs without a terminal; it is used as a `Terminal` is."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kecoa", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        self.text = b""

    def until(self, pattern: str) -> str:
        """Read until the text is found."""
        assert self.process.stdout is not None
        while pattern.encode() not in self.text:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise AssertionError(f"expected {pattern!r}, found {self.text!r}")
            self.text += data
        return self.text.decode()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def status(self) -> int:
        """Wait for the end; return the exit status as a shell says it."""
        out, _ = self.process.communicate(timeout=TIMEOUT)
        self.text += out
        status = self.process.returncode
        return status if status >= 0 else 128 - status

    def shown(self) -> str:
        """Return what it printed."""
        return self.text.decode()

    def close(self) -> None:
        """End it if it runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class InTerminal(Terminal):
    """A command in a terminal."""

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self.master, b"\x03")


@pytest.fixture(params=["terminal", "pipe"])
def start(request: Any, environment: dict[str, str]) -> Iterator[Callable[..., Any]]:
    """Start a command, in a terminal and without one; it is ended after the test."""
    started: list[Any] = []

    def starter(*arguments: str, **variables: str) -> Any:
        variables = {**environment, **variables}
        if request.param == "terminal":
            started.append(InTerminal(list(arguments), variables))
        else:
            started.append(Piped(list(arguments), variables))
        return started[-1]

    yield starter
    for process in started:
        process.close()


class Silent:
    """A server that takes connections and never answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(TIMEOUT)
        self.port = self.listener.getsockname()[1]
        self.url = f"postgresql://maya@127.0.0.1:{self.port}/bank"
        self.clients: list[socket.socket] = []

    def wait_for_client(self) -> None:
        """Return when somebody has connected."""
        self.clients.append(self.listener.accept()[0])

    def close(self) -> None:
        """Hang up."""
        for client in self.clients:
            client.close()
        self.listener.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A server that takes connections and never answers."""
    server = Silent()
    yield server
    server.close()
