"""A database with CockroachDB's dialect, as an engine."""

from __future__ import annotations

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="module")
def url(endpoint):
    given = sa.make_url(endpoint.url).set(drivername="cockroachdb+kecoa")
    engine = sa.create_engine(given, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql("CREATE DATABASE dialect_test")
    yield given.set(database="dialect_test")
    with engine.connect() as conn:
        conn.exec_driver_sql("DROP DATABASE dialect_test CASCADE")
    engine.dispose()


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def metadata(engine):
    metadata = sa.MetaData()
    yield metadata
    metadata.drop_all(engine)
