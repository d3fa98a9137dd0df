"""The local database: PostgreSQL behind CockroachDB's dialect, or CockroachDB itself.

    url = kecoa.local.start()
    conn = kecoa.connect(url)

The endpoint outlives the process that started it; `stop` ends it. `with kecoa.local.running() as url:`
stops it again when it was not running before. Data stays in KECOA_HOME. PostgreSQL comes with the extra:
`pip install "kecoa[local]"`.

Several endpoints can be kept apart by `name`. Without it, a function means the endpoint that a file `.kecoa`,
in the current folder or above it, names (`start(here=True)` writes one), and otherwise "default".

This is the command line `kecoa local ...`, called from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from kecoa._service import Service

__all__ = ["destroy", "instances", "logs", "reset", "running", "start", "status", "stop", "url"]

_SERVICE = Service("local", "postgresql", "postgres")


def start(
    *,
    name: str | None = None,
    here: bool = False,
    port: int | None = None,
    engine: Literal["postgres", "cockroach"] | None = None,
    faults: str | None = None,
    seed: int | None = None,
    password: bool = True,
) -> str:
    """Start the endpoint unless it runs already; return its URL, which has the endpoint's password in it.

    `here` gives the current folder an endpoint of its own. `port` is on 127.0.0.1, 0 for a free one; by
    default the one it had before, at first 26257 or a free one when that is taken. `engine="cockroach"` runs
    the `cockroach` on PATH instead of PostgreSQL. `faults` injects faults into connections, by a plan such as
    "drop:0.01, error:40001@commit:0.2" (docs/en/reference/fault-injection.md) that is drawn from `seed`.
    OperationalError says why it can't run here. What is odd about it is logged as a warning of `kecoa.local`.
    """
    arguments = _place(name)
    if here:
        arguments.append("--here")
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


def stop(*, name: str | None = None) -> None:
    """Stop the endpoint; nothing happens when it does not run."""
    _SERVICE.stop(_place(name))


def status(*, name: str | None = None) -> dict[str, Any]:
    """Return what `kecoa local status --json` says.

    Its "status" is "running", "starting", "stopping", "stopped" or "broken".
    The URL in it is without the password; `url()` has it.
    """
    return _SERVICE.status(_place(name))


def url(*, name: str | None = None) -> str | None:
    """Return the running endpoint's URL, with its password; None when it does not run."""
    return _SERVICE.url(_place(name))


def instances() -> list[dict[str, Any]]:
    """Return all endpoints of the home, by name, each as `status()` has it."""
    found: list[dict[str, Any]] = _SERVICE.json(["list"])["instances"]
    return found


def logs(*, name: str | None = None, lines: int = 50) -> str:
    """Return the last lines of the endpoint's log and of its database server's, at most `lines` of each.

    Each line begins with who wrote it: "endpoint | " or "database | ". OperationalError is raised where no
    endpoint has the name.
    """
    return _SERVICE.command(["logs", "-n", str(lines), *_place(name)])


def reset(*, name: str | None = None) -> str | None:
    """Delete the endpoint's databases and roles, without asking; return the URL of one that runs again.

    One that ran is started again, with the same URL. None is returned for one that did not run.
    OperationalError is raised where no endpoint has the name, or what is to be deleted is not kecoa's.
    """
    _SERVICE.command(["reset", "--yes", *_place(name)])
    return url(name=name)


def destroy(*, name: str | None = None) -> None:
    """Stop the endpoint and delete its data, password and logs, without asking.

    OperationalError is raised where no endpoint has the name, or what is to be deleted is not kecoa's.
    """
    _SERVICE.command(["destroy", "--yes", *_place(name)])


@contextmanager
def running(
    *,
    name: str | None = None,
    port: int | None = None,
    engine: Literal["postgres", "cockroach"] | None = None,
) -> Iterator[str]:
    """Start the endpoint and give its URL; stop it at the end unless it ran before."""
    before = url(name=name)
    if before is not None:
        yield before
        return
    started = start(name=name, port=port, engine=engine)
    try:
        yield started
    finally:
        stop(name=name)


def _place(name: str | None) -> list[str]:
    return [] if name is None else ["--name", name]


def __dir__() -> list[str]:
    return sorted(__all__)
