"""`cockroachdb+kecoa`: how an engine connects, versions, isolation levels, names, cursors on the server."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import create_async_engine

from kecoa.sqlalchemy.cockroachdb.base import CockroachDBDialect
from tests.sqlalchemy.cockroachdb.compiled import DIALECT

# ---- the server -------------------------------------------------------------------------------


def test_the_dialect_for_postgresql_connects_to_it(url):
    """SQLAlchemy's own drivers say "Could not determine version from string" there."""
    engine = sa.create_engine(url.set(drivername="postgresql+kecoa"))
    with engine.begin() as conn:
        assert conn.dialect.name == "postgresql"
        assert conn.dialect.server_version_info >= (9, 5)
        assert conn.scalar(sa.select(sa.literal(40) + 2)) == 42
    engine.dispose()


def test_the_dialect_for_postgresql_connects_to_it_with_asyncio(url):
    async def ask():
        engine = create_async_engine(url.set(drivername="postgresql+kecoa"))
        async with engine.begin() as conn:
            answer = await conn.scalar(sa.select(sa.literal(40) + 2))
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == 42


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CockroachDB CCL v26.2.1 (x86_64-pc-linux-gnu, built 2026/05/20, go1.25)", (26, 2, 1)),
        ("CockroachDB OSS v25.4.0-beta.2 (x86_64)", (25, 4, 0)),
        ("CockroachDB dialect v25.2.0 (kecoa local endpoint, PostgreSQL 18.6)", (25, 2, 0)),
    ],
)
def test_versions(text, expected):
    class Connection:
        def exec_driver_sql(self, statement):
            return self

        def scalar(self):
            return text

    assert DIALECT._get_server_version_info(Connection()) == expected


def test_a_postgresql_is_not_taken_for_a_cockroachdb(dsn):
    import kecoa

    engine = sa.create_engine("cockroachdb+kecoa://", creator=lambda: kecoa.connect(dsn))
    with pytest.raises(exc.InvalidRequestError, match=r"PostgreSQL's URL begins with postgresql\+kecoa"):
        engine.connect()


def test_what_the_dialect_knows_of_the_server(engine):
    with engine.connect() as conn:
        assert conn.dialect.server_version_info >= (25, 1)
        assert conn.dialect.default_schema_name == "public"
        assert conn.dialect.default_isolation_level == "SERIALIZABLE"
        assert conn.dialect.supports_sane_rowcount


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"])
def test_isolation_levels(engine, level):
    with engine.connect().execution_options(isolation_level=level) as conn:
        assert conn.execute(sa.text("SHOW transaction_isolation")).scalar_one().upper() == level
        assert conn.get_isolation_level() == level
    with engine.connect() as conn:
        assert conn.get_isolation_level() == "SERIALIZABLE"


def test_options_that_cockroachdb_has_not():
    with pytest.raises(exc.ArgumentError, match="hstore"):
        sa.create_engine("cockroachdb+kecoa://", use_native_hstore=True)
    with pytest.raises(exc.ArgumentError, match="autoincrement_as"):
        sa.create_engine("cockroachdb+kecoa://", autoincrement_as="magic")


def test_the_plain_name_is_known():
    assert sa.create_engine("cockroachdb://").dialect.driver == "kecoa"


def test_server_side_cursors(url):
    """They were refused by sqlalchemy-cockroachdb."""
    engine = sa.create_engine(url)
    numbers = sa.select(sa.func.generate_series(1, 2500))
    with engine.connect() as conn:
        result = conn.execution_options(yield_per=100).execute(numbers)
        assert result.cursor.name  # a cursor of the server's has one
        assert [len(part) for part in result.partitions()] == [100] * 25
    engine.dispose()

    async def main():
        engine = create_async_engine(url)
        async with engine.connect() as conn:
            result = await conn.stream(numbers, execution_options={"yield_per": 100})
            assert sum([row[0] async for row in result]) == 2500 * 2501 // 2
        await engine.dispose()

    asyncio.run(main())


def test_the_dialect_goes_with_other_drivers(endpoint):
    """What is CockroachDB's own relies on no driver."""
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

    class Dialect(CockroachDBDialect, PGDialect_psycopg2):
        supports_statement_cache = True

    from sqlalchemy.dialects import registry

    registry.impls["cockroachdb.psycopg2_test"] = lambda: Dialect
    engine = sa.create_engine(sa.make_url(endpoint.url).set(drivername="cockroachdb+psycopg2_test"))
    with engine.connect() as conn:
        assert conn.dialect.server_version_info >= (25, 1)
        assert isinstance(sa.inspect(conn).get_table_names(), list)
    engine.dispose()
