"""Servers, engines and drivers for the tests of retry."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.sqlalchemy.databases import database
from tests.sqlalchemy.retry.bench import ASYNC, BLOCKING, SET_UP, Bench


@pytest.fixture(scope="module")
def url(dsn):
    with database(dsn, "retry") as url:
        engine = sa.create_engine(url)
        with engine.begin() as conn:
            conn.exec_driver_sql(SET_UP)
        engine.dispose()
        yield url


@pytest.fixture(params=BLOCKING + ASYNC)
def bench(request, url):
    return Bench(url, request.param)


@pytest.fixture(params=["core", "orm"])
def kind(request):
    return request.param


# The caller's own connections and sessions.


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def blocking(url):
    return Bench(url, "psycopg2")
