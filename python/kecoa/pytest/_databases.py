"""Databases for tests: copies of a template, made ahead and dropped while tests run."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Literal
from urllib.parse import urlsplit

import kecoa
from kecoa.errors import ObjectInUse

Kind = Literal["postgresql", "endpoint", "cockroachdb"]


class Databases:
    """Makes databases on the server at `server`, a URL; `prepare(url)` makes tables and rows in one.

    PostgreSQL and the local endpoint copy a template, on which `prepare` ran once. One copy is made ahead, in
    a thread, which also drops those that are done with. CockroachDB copies no databases: `prepare` runs on
    each.
    """

    def __init__(self, server: str, prepare: Callable[[str], object]) -> None:
        self.server = server
        self._prepare = prepare
        conn = kecoa.connect(server)
        # Statements of this connection are the thread's, one after the other.
        conn.autocommit = True
        self._conn = conn
        self.kind: Kind = _kind(conn.get_parameter_status("crdb_version"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kecoa-databases")
        self._template: str | None = None
        self._ahead: Future[str] | None = None
        self._names: set[str] = set()

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()

    def prepared(self) -> str:
        """Make a database on which `prepare` runs now; return its URL."""
        name = self._thread.submit(self._create).result()
        url = self.url(name)
        self._prepare(url)
        return url

    def copy(self) -> str:
        """Return the URL of a database of its own, as `prepare` leaves it."""
        if self.kind == "cockroachdb":
            return self.prepared()
        if self._template is None:
            self._template = urlsplit(self.prepared()).path[1:]
        name = (self._ahead or self._thread.submit(self._create, self._template)).result()
        self._ahead = self._thread.submit(self._create, self._template)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, without waiting for it."""
        self._thread.submit(self._drop, urlsplit(url).path[1:])

    def close(self) -> None:
        """Drop all that are left."""
        if self._ahead is not None:
            # What failed there is not asked for any more.
            with suppress(kecoa.Error):
                self._ahead.result()
        with self._thread as thread:
            for name in sorted(self._names - {self._template}):
                thread.submit(self._drop, name)
            if self._template is not None:
                thread.submit(self._drop, self._template)
        self._conn.close()
        if self._names:
            warnings.warn(
                f"these databases are left, somebody is connected to them: {', '.join(sorted(self._names))}",
                stacklevel=2,
            )

    def _create(self, template: str | None = None) -> str:
        name = f"kecoa_test_{uuid.uuid4().hex}"
        with self._conn.cursor() as cur:
            try:
                cur.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
            except ObjectInUse as error:
                raise kecoa.OperationalError(
                    "expected nobody to be connected to the template of the tests' databases, found somebody:"
                    " close what kecoa_prepare opens, and dispose of its engines"
                ) from error
        self._names.add(name)
        return name

    def _drop(self, name: str) -> None:
        how = " WITH (FORCE)" if self.kind == "postgresql" else " CASCADE"
        with self._conn.cursor() as cur:
            try:
                cur.execute(f"DROP DATABASE IF EXISTS {name}{how}")
            except kecoa.Error:
                return  # once more at the end, which tells
        self._names.discard(name)


def _kind(crdb_version: str | None) -> Kind:
    if crdb_version is None:
        return "postgresql"
    return "endpoint" if "kecoa local" in crdb_version else "cockroachdb"
