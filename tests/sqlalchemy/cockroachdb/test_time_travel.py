"""AS OF SYSTEM TIME and reading from followers."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import create_async_engine

from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa
from kecoa.sqlalchemy.cockroachdb.timetravel import timestamp

# ---- reading the past -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-10s", "'-10s'"),
        (dt.timedelta(seconds=90), "'-90.000000s'"),
        (dt.timedelta(seconds=-90), "'-90.000000s'"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), "'2026-01-02 03:04:05.000000+00:00'"),
        (
            dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=7))),
            "'2026-01-01 20:00:00.000000+00:00'",
        ),
        (decimal.Decimal("1700000000000000000.0000000001"), "1700000000000000000.0000000001"),
        ("follower_read_timestamp()", "follower_read_timestamp()"),
        ("with_max_staleness('10s')", "with_max_staleness('10s')"),
    ],
)
def test_points_of_the_past(value, expected):
    assert timestamp(value) == expected


@pytest.mark.parametrize("value", ["'; DROP TABLE t; --", "f()'", True, 1.5, None])
def test_other_points_are_refused(value):
    with pytest.raises(exc.ArgumentError, match="cockroachdb_as_of_system_time"):
        timestamp(value)


class Recording:
    """A connection that writes down what it is sent: the local endpoint has no past to read."""

    def __init__(self):
        self.sent = []

    def cursor(self):
        return self

    def execute(self, statement):
        self.sent.append(statement)

    def close(self):
        pass


def test_transactions_begin_in_the_past():
    dialect, conn = CockroachDBDialect_kecoa(), Recording()
    dialect.do_begin(conn)
    assert conn.sent == []
    options = dialect.connection_characteristics
    options["cockroachdb_as_of_system_time"].set_characteristic(dialect, conn, "-10s")
    dialect.do_begin(conn)
    options["cockroachdb_follower_reads"].set_characteristic(dialect, conn, True)
    assert options["cockroachdb_follower_reads"].get_characteristic(dialect, conn)
    dialect.do_begin(conn)
    options["cockroachdb_as_of_system_time"].reset_characteristic(dialect, conn)
    dialect.do_begin(conn)
    assert conn.sent == [
        "SET TRANSACTION AS OF SYSTEM TIME '-10s'",
        "SET TRANSACTION AS OF SYSTEM TIME follower_read_timestamp()",
    ]


NEAR = [{"cockroachdb_as_of_system_time": "-10s"}, {"cockroachdb_follower_reads": True}]


@pytest.mark.parametrize("option", NEAR, ids=str)
def test_transactions_in_the_past_only_read(url, engine, option):
    """The local endpoint reads the present for them, and refuses a past that is further away."""
    far = {"cockroachdb_as_of_system_time": "-1h"}
    with engine.connect().execution_options(**option) as conn:
        assert conn.execute(sa.text("SELECT 1")).scalar_one() == 1
        assert conn.execute(sa.text("SHOW transaction_read_only")).scalar_one() == "on"
    with pytest.raises(exc.NotSupportedError, match="the past"):
        with engine.connect().execution_options(**far) as conn:
            conn.execute(sa.text("SELECT 1"))
    # The option ended with the connection's return to the pool.
    with engine.connect() as conn:
        assert conn.execute(sa.text("SHOW transaction_read_only")).scalar_one() == "off"

    async def main():
        engine = create_async_engine(url)
        async with engine.connect() as conn:
            await conn.execution_options(**option)
            assert (await conn.execute(sa.text("SHOW transaction_read_only"))).scalar_one() == "on"
        await engine.dispose()

    asyncio.run(main())
