"""The MongoDB gateway: the real PyMongo keeps documents in PostgreSQL or CockroachDB.

    client = pymongo.MongoClient(kecoa.mongo.start())

The gateway outlives the process that started it; `stop` ends it, and not the database. `with
kecoa.mongo.running() as url:` stops it again when it was not running before. Its documents are in the
database of `database`, or of DATABASE_URL, or in the local endpoint, which is started then.

This is the command line `kecoa mongo ...`, called from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kecoa._service import Service

__all__ = ["running", "start", "status", "stop", "url"]

_SERVICE = Service("mongo", "mongodb")


def start(
    database: str | None = None,
    *,
    port: int | None = None,
    replica_set: str | None = None,
    password: bool = True,
    connections: int | None = None,
) -> str:
    """Start the gateway unless it runs already; return its URL, which has its password in it.

    `database` is a connection string of PostgreSQL, CockroachDB or the local endpoint. `port` is on
    127.0.0.1, by default 27017 or a free one when that is taken; 0 is any. `replica_set` is a name, or
    NAME@HOST:PORT: the gateway looks like a replica set of one then, and like `mongos` otherwise.
    `connections` is how many it has to the database at most, by default 16.
    OperationalError says why it can't run here.
    """
    arguments = []
    if database is not None:
        # By standard input: every user of the machine sees arguments.
        arguments += ["--database", "-"]
    if port is not None:
        arguments += ["--port", str(port)]
    if replica_set is not None:
        arguments += ["--replica-set", replica_set]
    if connections is not None:
        arguments += ["--connections", str(connections)]
    if not password:
        arguments.append("--no-password")
    return _SERVICE.start(arguments, database or "")


def stop() -> None:
    """Stop the gateway; nothing happens when it does not run."""
    _SERVICE.stop()


def status() -> dict[str, Any]:
    """Return what `kecoa mongo status --json` says.

    Its "status" is "running", "starting", "stopping", "stopped" or "broken".
    The URL in it is without the password; `url()` has it.
    """
    return _SERVICE.status()


def url() -> str | None:
    """Return the running gateway's URL, with its password; None when it does not run."""
    return _SERVICE.url()


@contextmanager
def running(database: str | None = None, *, port: int | None = None) -> Iterator[str]:
    """Start the gateway and give its URL; stop it at the end unless it ran before."""
    before = url()
    if before is not None:
        yield before
        return
    started = start(database, port=port)
    try:
        yield started
    finally:
        stop()


def __dir__() -> list[str]:
    return sorted(__all__)
