"""Fixtures for pytest: a database a test, or a transaction a test.

pytest finds this plugin by itself where kecoa is installed. Override `kecoa_prepare` in `conftest.py` with a
function that makes your tables and rows:

    @pytest.fixture(scope="session")
    def kecoa_prepare():
        return create_tables  # create_tables(url)

- `kecoa_database`: the URL of a database of the test's own, for programs that commit, retry, use threads;
- `kecoa_conn`: a connection as of `kecoa.connect`, whose transaction is rolled back after the test;
- `kecoa_async_conn`: a function; `async with kecoa_async_conn() as conn` is the same for `kecoa.aio`;
- `kecoa_engine_conn`: a connection of SQLAlchemy in a transaction that is rolled back after the test.

The databases are made on `kecoa_server`: the server of `--kecoa-url`, of DATABASE_URL, or the local endpoint.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import sqlalchemy

    from kecoa.aio import AsyncConnection
    from kecoa.pytest._databases import Databases
    from kecoa.pytest._rolled_back import RolledBackConnection, Shared

__all__ = [
    "kecoa_async_conn",
    "kecoa_conn",
    "kecoa_database",
    "kecoa_engine",
    "kecoa_engine_conn",
    "kecoa_prepare",
    "kecoa_server",
    "kecoa_shared_database",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kecoa-url`."""
    group = parser.getgroup("kecoa")
    group.addoption(
        "--kecoa-url",
        metavar="URL",
        help="the server on which tests make their databases; by default DATABASE_URL, or the local endpoint",
    )


@pytest.fixture(scope="session")
def kecoa_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """The URL of the server for the databases: `--kecoa-url`, DATABASE_URL, or the local endpoint's."""
    given = pytestconfig.getoption("--kecoa-url")
    source = "--kecoa-url"
    if given is None:
        given, source = os.environ.get("DATABASE_URL"), "DATABASE_URL"
    if given is not None:
        if not given.strip():
            raise pytest.UsageError(f"{source} is set, and empty: set it to a URL, or leave it out")
        if "://" not in given:
            raise pytest.UsageError(
                "expected a URL, postgresql://user@host:port/database, in --kecoa-url or DATABASE_URL, found"
                " none: write the connection string as a URL"
            )
        yield given
        return
    from kecoa import local

    with local.running() as url:
        yield url


@pytest.fixture(scope="session")
def kecoa_prepare() -> Callable[[str], object]:
    """A function that makes tables and rows in the database at a URL; to be overridden."""

    def nothing(url: str) -> None:
        pass

    return nothing


@pytest.fixture(scope="session")
def _kecoa_databases(kecoa_server: str, kecoa_prepare: Callable[[str], object]) -> Iterator[Databases]:
    from kecoa.pytest._databases import Databases

    databases = Databases(kecoa_server, kecoa_prepare)
    try:
        yield databases
    finally:
        databases.close()


@pytest.fixture
def kecoa_database(_kecoa_databases: Databases) -> Iterator[str]:
    """The URL of a database of the test's own, as `kecoa_prepare` leaves it."""
    url = _kecoa_databases.copy()
    yield url
    _kecoa_databases.drop(url)


@pytest.fixture(scope="session")
def kecoa_shared_database(_kecoa_databases: Databases) -> str:
    """The URL of a database that tests share, because they leave it as they find it."""
    return _kecoa_databases.prepared()


@pytest.fixture(scope="session")
def _kecoa_shared(kecoa_shared_database: str) -> Iterator[Shared]:
    from kecoa.pytest._rolled_back import Shared

    shared = Shared(kecoa_shared_database)
    yield shared
    shared.close()


@pytest.fixture
def kecoa_conn(_kecoa_shared: Shared) -> Iterator[RolledBackConnection]:
    """A connection in a transaction that is rolled back after the test.

    A commit in it keeps what was done until the test's end, a rollback takes back what was done since.
    """
    yield _kecoa_shared.begin()
    _kecoa_shared.undo()


@pytest.fixture(scope="session")
def kecoa_async_conn(
    kecoa_shared_database: str,
) -> Callable[..., AbstractAsyncContextManager[AsyncConnection[Any]]]:
    """A function that opens connections of `kecoa.aio` whose transaction is rolled back.

    `async with kecoa_async_conn() as conn` rolls back at the block's end. The function takes the keyword
    arguments of `kecoa.aio.connect`. commit and rollback are those of `kecoa_conn`.
    """
    from kecoa.pytest._rolled_back import asynchronous

    return asynchronous(kecoa_shared_database)


@pytest.fixture(scope="session")
def kecoa_engine(kecoa_shared_database: str) -> Iterator[sqlalchemy.Engine]:
    """An engine of SQLAlchemy on `kecoa_shared_database`."""
    import sqlalchemy

    from kecoa.sqlalchemy import engine_url

    engine = sqlalchemy.create_engine(engine_url(kecoa_shared_database))
    yield engine
    engine.dispose()


@pytest.fixture
def kecoa_engine_conn(kecoa_engine: sqlalchemy.Engine) -> Iterator[sqlalchemy.Connection]:
    """A connection of SQLAlchemy in a transaction that is rolled back after the test.

    For the ORM: `Session(kecoa_engine_conn, join_transaction_mode="create_savepoint")`.
    """
    with kecoa_engine.connect() as connection:
        transaction = connection.begin()
        try:
            yield connection
        finally:
            transaction.rollback()
