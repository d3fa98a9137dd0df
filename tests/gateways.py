"""MongoDB gateways for tests, each a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

# The `kecoa` to run: the installed package's, or for those who work on it a program that was just built.
PROGRAM = [os.environ["KECOA_PROGRAM"]] if "KECOA_PROGRAM" in os.environ else [sys.executable, "-m", "kecoa"]


class GatewayError(Exception):
    """The gateway did not start; says why."""


class Gateway:
    """`kecoa mongo start --foreground` on a database, until the block ends."""

    def __init__(
        self,
        database: str,
        home: Path,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        with (home / "log").open("w") as log:
            self.process = subprocess.Popen(
                [
                    *(*PROGRAM, "mongo", "start", "--foreground", "--home", str(home)),
                    *("--database", "-", "--port", str(port), *arguments),
                ],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(database + "\n")
        self.process.stdin.close()
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("mongodb://"):
            self.stop()
            raise GatewayError(f"expected the gateway to print its URL, found {self.url!r}: {self.log()}")

    def log(self) -> str:
        """What it said."""
        return (self.home / "log").read_text(errors="replace").strip()

    def stop(self) -> None:
        """Stop it in an orderly way."""
        self.process.terminate()
        self.process.wait(60)

    def kill(self) -> None:
        """End it at once, as a machine that fails does."""
        self.process.kill()
        self.process.wait(60)

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
