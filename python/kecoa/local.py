"""The local database: PostgreSQL behind CockroachDB's dialect, or CockroachDB itself.

    url = kecoa.local.start()
    conn = kecoa.connect(url)

The endpoint outlives the process that started it; `stop` ends it. `with kecoa.local.running() as url:`
stops it again when it was not running before. Data stays in KECOA_HOME. PostgreSQL comes with the extra:
`pip install "kecoa[local]"`.

This is the command line `kecoa local ...`, called from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from kecoa._service import Service

__all__ = ["running", "start", "status", "stop", "url"]

_SERVICE = Service("local", "postgresql", "postgres")


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
    arguments = []
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
    return _SERVICE.start(arguments)


def stop() -> None:
    """Stop the endpoint; nothing happens when it does not run."""
    _SERVICE.stop()


def status() -> dict[str, Any]:
    """Return what `kecoa local status --json` says; its "status" is "running", "stopped" or "broken".

    The URL in it is without the password; `url()` has it.
    """
    return _SERVICE.status()


def url() -> str | None:
    """Return the running endpoint's URL, with its password; None when it does not run."""
    return _SERVICE.url()


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
