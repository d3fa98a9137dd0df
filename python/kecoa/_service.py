"""Commands of the command line that start, find and stop a process in the background."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

from kecoa import OperationalError
from kecoa._environment import SELF_COMMAND, describe_python

# The exit status of `url` when nothing runs.
_NOT_RUNNING = 3


class Service:
    """`kecoa NAME ...`, whose processes have URLs that begin with one of `schemes`."""

    def __init__(self, name: str, *schemes: str) -> None:
        self.name = name
        self.schemes = tuple(f"{scheme}://" for scheme in schemes)

    def start(self, arguments: list[str], text: str = "") -> str:
        """Start it with `text` as standard input; return its URL."""
        return self._url_in(self.command(["start", *arguments], text))

    def stop(self, place: list[str] | None = None) -> None:
        """Stop it; nothing happens when it does not run."""
        self.command(["stop", *(place or [])])

    def status(self, place: list[str] | None = None) -> dict[str, Any]:
        """Return what `status --json` prints."""
        return self.json(["status", *(place or [])])

    def url(self, place: list[str] | None = None) -> str | None:
        """Return its URL; None when it does not run."""
        done = self._run(["url", *(place or [])])
        if done.returncode == 0:
            return self._url_in(done.stdout)
        if done.returncode != _NOT_RUNNING:
            # One that is broken does not run, and can be started; whatever else went wrong is raised here.
            self.status(place)
        return None

    def json(self, arguments: list[str]) -> dict[str, Any]:
        """Return the JSON object that a command prints, whatever its exit status."""
        done = self._run([*arguments, "--json"])
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            raise OperationalError(f"kecoa {self.name} {arguments[0]}: {_complaint(done)}") from None
        if not isinstance(answer, dict):
            raise OperationalError(f"expected the command line to print a JSON object, found {answer!r}")
        return answer

    def command(self, arguments: list[str], text: str = "") -> str:
        """Return what a command prints; what it remarks is logged."""
        done = self._run(arguments, text)
        if done.returncode != 0:
            raise OperationalError(f"kecoa {self.name} {arguments[0]}: {_complaint(done)}")
        if done.stderr and "logging" in sys.modules:
            from kecoa._driver import log

            log.remarks(self.name, done.stderr)
        return done.stdout

    def _run(self, arguments: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        if "logging" in sys.modules:
            from kecoa._driver import log

            log.service(self.name, tuple(arguments))
        environment = dict(os.environ)
        describe_python(environment)
        # A process of its own: the one in the background must not be a child of the caller's, nor inherit its
        # threads and open files.
        with subprocess.Popen(
            [*SELF_COMMAND, self.name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # Ctrl-C in a terminal does not reach it by itself, so that it has it once.
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(text)
            except KeyboardInterrupt:
                # It stops what it has begun to start, and ends; killed, it would leave that behind.
                process.send_signal(signal.SIGINT)
                process.communicate()
                raise
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def _url_in(self, output: str) -> str:
        for word in output.split():
            if word.startswith(self.schemes):
                return word
        raise OperationalError(f"expected the command line to print a URL, found {output.strip()!r}")


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
