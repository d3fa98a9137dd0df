"""The local database: PostgreSQL behind CockroachDB's dialect, or CockroachDB itself.

    url = kecoa.local.start()
    conn = kecoa.connect(url)

The endpoint outlives the process that started it; `stop` ends it. `with kecoa.local.running() as url:`
stops it again when it was not running before. Data stays in KECOA_HOME. PostgreSQL comes with the extra:
`pip install "kecoa[local]"`.

This is the command line `kecoa local ...`, called from Python.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from kecoa import OperationalError
from kecoa._environment import SELF_COMMAND, describe_python

__all__ = ["running", "start", "status", "stop", "url"]


def start(
    *,
    port: int | None = None,
    engine: Literal["postgres", "cockroach"] | None = None,
    faults: str | None = None,
    seed: int | None = None,
    password: bool = True,
) -> str:
    """Start the endpoint unless it runs already; return its URL, which has the endpoint's password in it.

    `port` is on 127.0.0.1, by default 26257 or a free one when that is taken. `engine="cockroach"` runs the
    `cockroach` on PATH instead of PostgreSQL. `faults` injects faults into connections, by a plan such as
    "drop:0.01, error:40001@commit:0.2" (docs/en/reference/fault-injection.md) that is drawn from `seed`.
    OperationalError says why it can't run here.
    """
    arguments = ["start"]
    if port is not None:
        arguments += ["--port", str(port)]
    if engine is not None:
        arguments += ["--engine", engine]
    if faults is not None:
        arguments += ["--faults", faults]
    if seed is not None:
        arguments += ["--seed", str(seed)]
    if not password:
        arguments.append("--no-password")
    return _url_in(_command(arguments))


def stop() -> None:
    """Stop the endpoint; nothing happens when it does not run."""
    _command(["stop"])


def status() -> dict[str, Any]:
    """Return what `kecoa local status --json` says; its "status" is "running", "stopped" or "broken".

    The URL in it is without the password; `url()` has it.
    """
    done = _run(["status", "--json"])
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise OperationalError(f"kecoa local status: {_complaint(done)}") from None
    if not isinstance(answer, dict):
        raise OperationalError(f"expected the command line to print a JSON object, found {answer!r}")
    return answer


def url() -> str | None:
    """Return the running endpoint's URL, with its password; None when it does not run."""
    done = _run(["url"])
    return _url_in(done.stdout) if done.returncode == 0 else None


@contextmanager
def running(
    *, port: int | None = None, engine: Literal["postgres", "cockroach"] | None = None
) -> Iterator[str]:
    """Start the endpoint and give its URL; stop it at the end unless it ran before."""
    before = url()
    if before is not None:
        yield before
        return
    started = start(port=port, engine=engine)
    try:
        yield started
    finally:
        stop()


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    if "logging" in sys.modules:
        from kecoa._driver import log

        log.local(tuple(arguments))
    environment = dict(os.environ)
    describe_python(environment)
    # A process of its own: the endpoint's background process must not be a child of the caller's, nor
    # inherit its threads and open files.
    return subprocess.run(
        [*SELF_COMMAND, "local", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def _command(arguments: list[str]) -> str:
    done = _run(arguments)
    if done.returncode != 0:
        raise OperationalError(f"kecoa local {arguments[0]}: {_complaint(done)}")
    return done.stdout


def _complaint(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"


def _url_in(output: str) -> str:
    for word in output.split():
        if word.startswith(("postgresql://", "postgres://")):
            return word
    raise OperationalError(f"expected the command line to print the endpoint's URL, found {output.strip()!r}")
