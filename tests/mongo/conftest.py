"""A gateway for the tests' run, and databases on it."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pymongo
import pytest
from psycopg2.extensions import make_dsn

from tests.gateways import Gateway
from tests.suites.pymongo.gateway import make_database, start
from tools.testserver import temporary_folder

Documents = pymongo.MongoClient[dict[str, Any]]
_numbers = itertools.count()


@pytest.fixture(scope="session")
def gateway(dsn: str) -> Iterator[Gateway]:
    """A gateway in the role of a replica set, with test commands and without passwords."""
    database = make_database(dsn, "kecoa_mongo_tests")
    with temporary_folder() as folder:
        home = Path(folder) / "gateway"
        with start(database, home, os.environ, authentication=False) as gateway:
            yield gateway


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Iterator[Documents]:
    """A client of the gateway."""
    with pymongo.MongoClient[dict[str, Any]](gateway.url) as client:
        yield client


@pytest.fixture
def db(client: Documents) -> Iterator[Any]:
    """An empty database, dropped after the test."""
    database = client[f"test_{next(_numbers)}"]
    yield database
    client.drop_database(database)


@pytest.fixture
def database(dsn: str) -> Iterator[str]:
    """A database of the test's own; gives its connection string."""
    name = f"mongo_{uuid.uuid4().hex[:8]}"
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    conn.cursor().execute(f"CREATE DATABASE {name}")
    yield str(make_dsn(dsn, dbname=name))
    conn.cursor().execute(f"DROP DATABASE {name} WITH (FORCE)")
    conn.close()
