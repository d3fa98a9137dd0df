"""The dialect postgresql+kecoa on blocking connections: what SQLAlchemy's own suite does not ask."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import CITEXT, Range

import kecoa


@pytest.fixture
def url(dsn):
    """A superuser's URL of the tests' server."""
    parts = kecoa.extensions.parse_dsn(dsn)
    return sa.URL.create(
        "postgresql+kecoa",
        username=parts["user"],
        database=parts["dbname"],
        query={"host": parts["host"], "port": parts["port"]},
    )


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def test_a_url_without_a_driver_means_another_one():
    """As docs/en/guides/data.md says: SQLAlchemy 2.1's own choice."""
    assert sa.make_url("postgresql://host/bank").get_dialect().driver == "psycopg"


def test_the_url_names_the_dialect(engine):
    assert engine.dialect.driver == "kecoa"
    assert engine.dialect.dbapi is kecoa
    with engine.connect() as conn:
        assert isinstance(conn.connection.driver_connection, kecoa.extensions.connection)


def test_the_version_takes_no_query(engine):
    with engine.connect() as conn:
        number = conn.connection.driver_connection.server_version
        assert engine.dialect.server_version_info == (number // 10000, number % 10000)


@pytest.mark.parametrize(
    ("number", "info"), [(180006, (18, 6)), (130000, (13, 0)), (90605, (9, 6, 5)), (80002, (8, 0, 2))]
)
def test_versions(number, info):
    class Fake:
        server_version = number

    class Pooled:
        class connection:
            dbapi_connection = Fake

    dialect = sa.make_url("postgresql+kecoa://").get_dialect()()
    assert dialect._get_server_version_info(Pooled) == info


def test_values_are_native(engine):
    with engine.connect() as conn:
        row = conn.execute(
            sa.text(
                "SELECT 'b4a2c1d0-0000-4000-8000-000000000001'::uuid, '{\"a\": [1, null]}'::jsonb, '10.0.0.1'::inet"
            )
        ).one()
    assert tuple(row) == (uuid.UUID("b4a2c1d0-0000-4000-8000-000000000001"), {"a": [1, None]}, "10.0.0.1")


def test_arrays_whose_type_no_loader_knows(engine):
    with engine.connect() as conn:
        conn.execute(sa.text("CREATE DOMAIN pg_temp.word AS text"))
        conn.execute(sa.text("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'not, sad', 'NULL')"))
        mood = postgresql.ENUM("sad", "not, sad", "NULL", name="mood")
        row = conn.execute(
            sa.text(
                """SELECT ARRAY['1', '2000.5']::money[] AS prices, ARRAY['a,b', NULL, '"']::pg_temp.word[] AS words,
                    ARRAY['sad', 'not, sad', NULL, 'NULL']::pg_temp.mood[] AS moods"""
            ).columns(
                prices=sa.ARRAY(postgresql.MONEY), words=sa.ARRAY(sa.Text), moods=postgresql.ARRAY(mood)
            )
        ).one()
    assert row.prices == ["$1.00", "$2,000.50"]
    assert row.words == ["a,b", None, '"']
    assert row.moods == ["sad", "not, sad", None, "NULL"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (
            postgresql.TSTZMULTIRANGE,
            [
                Range(
                    datetime(2026, 1, 2, 3, tzinfo=timezone.utc), datetime(2026, 1, 3, tzinfo=timezone.utc)
                ),
                Range(datetime(2027, 1, 2, tzinfo=timezone.utc), None, bounds="()"),
            ],
        ),
        (postgresql.INT4MULTIRANGE, [Range(1, 3), Range(7, 9)]),
        (postgresql.INT8MULTIRANGE, []),
        (postgresql.NUMMULTIRANGE, [Range(Decimal("1.5"), Decimal("2.5"), bounds="(]")]),
        (postgresql.DATEMULTIRANGE, [Range(None, date(2026, 1, 2))]),
        (postgresql.TSMULTIRANGE, None),
    ],
)
def test_multiranges(engine, kind, value):
    table = sa.Table("multi_t", sa.MetaData(), sa.Column("v", kind))
    with engine.connect() as conn:
        table.create(conn)
        conn.execute(table.insert(), {"v": value})
        found = conn.execute(sa.select(table.c.v)).scalar()
        assert found == value
        assert found is None or isinstance(found, postgresql.ranges.MultiRange)
        assert conn.execute(sa.select(table.c.v).where(table.c.v == value)).all() or value is None


def test_native_inet_types(url):
    engine = sa.create_engine(url, native_inet_types=True)
    table = sa.Table(
        "inet_t", sa.MetaData(), sa.Column("a", postgresql.INET), sa.Column("b", postgresql.CIDR)
    )
    with engine.connect() as conn:
        table.create(conn)
        values = (ipaddress.ip_interface("10.1.2.3/8"), ipaddress.ip_network("10.0.0.0/8"))
        conn.execute(table.insert(), {"a": values[0], "b": values[1]})
        assert tuple(conn.execute(table.select()).one()) == values
    engine.dispose()


def test_a_terminated_session_is_a_disconnect(engine):
    with engine.connect() as victim, engine.connect() as other:
        pid = victim.connection.driver_connection.get_backend_pid()
        victim.rollback()
        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(sa.exc.DBAPIError) as caught:
            victim.execute(sa.text("SELECT 1"))
        assert caught.value.connection_invalidated
        victim.rollback()
        assert victim.execute(sa.text("SELECT 1")).scalar() == 1


def test_another_error_is_no_disconnect(engine):
    with engine.connect() as conn:
        with pytest.raises(sa.exc.ProgrammingError) as caught:
            conn.execute(sa.text("SELECT no_such_column"))
        assert not caught.value.connection_invalidated


def test_pre_ping_replaces_a_dead_connection(url):
    engine = sa.create_engine(url, pool_pre_ping=True, pool_size=2)
    with engine.connect() as conn:
        pid = conn.connection.driver_connection.get_backend_pid()
    killer = sa.create_engine(url)
    with killer.connect() as conn:
        conn.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    with engine.connect() as conn:
        assert conn.connection.driver_connection.get_backend_pid() != pid
        assert conn.execute(sa.text("SELECT 1")).scalar() == 1
    killer.dispose()
    engine.dispose()


def test_executemany_counts_every_row(engine):
    table = sa.Table("many_t", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("n", sa.Integer))
    with engine.connect() as conn:
        table.create(conn)
        conn.execute(table.insert(), [{"id": at, "n": 0} for at in range(10)])
        update = table.update().where(table.c.id == sa.bindparam("at")).values(n=sa.bindparam("to"))
        done = conn.execute(update, [{"at": at, "to": 1} for at in range(20)])
        assert done.rowcount == 10
        assert engine.dialect.supports_sane_multi_rowcount


@pytest.mark.parametrize(
    ("options", "setting", "value"),
    [
        ({"isolation_level": "SERIALIZABLE"}, "transaction_isolation", "serializable"),
        ({"isolation_level": "REPEATABLE READ"}, "transaction_isolation", "repeatable read"),
        ({"postgresql_readonly": True}, "transaction_read_only", "on"),
        (
            {"isolation_level": "SERIALIZABLE", "postgresql_deferrable": True},
            "transaction_deferrable",
            "on",
        ),
    ],
)
def test_execution_options(engine, options, setting, value):
    with engine.connect() as conn:
        before = conn.execute(sa.text(f"SHOW {setting}")).scalar()
        conn.rollback()
        conn.execution_options(**options)
        assert conn.execute(sa.text(f"SHOW {setting}")).scalar() == value
    with engine.connect() as conn:
        assert conn.execute(sa.text(f"SHOW {setting}")).scalar() == before


def test_autocommit(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(sa.text("SELECT 1"))
        assert conn.connection.driver_connection.info.transaction_status == 0


def test_server_side_cursors(engine):
    with engine.connect() as conn:
        streamed = conn.execution_options(stream_results=True, yield_per=10).execute(
            sa.text("SELECT generate_series(1, 1000)")
        )
        assert streamed.fetchone()[0] == 1
        open_cursors = conn.connection.driver_connection.cursor()
        open_cursors.execute("SELECT count(*) FROM pg_cursors WHERE starts_with(name, 'c_')")
        assert open_cursors.fetchone() == (1,)
        assert sum(1 for _ in streamed) == 999


def test_the_dialect_needs_no_greenlet():
    """SQLAlchemy 2.1 installs greenlet for its asyncio part only."""
    code = (
        "import sys; sys.modules['greenlet'] = None\n"
        "import sqlalchemy; print(sqlalchemy.create_engine('postgresql+kecoa://').dialect.driver)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "kecoa\n", done.stderr


def bound(url, way):
    """The ways to say how values travel."""
    return [sa.create_engine(url, binding=way), sa.create_engine(url.update_query_dict({"binding": way}))]


def test_binding(url):
    """What comes again is prepared by the server, unless the engine says otherwise."""
    prepared = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%AS given%'")
    engines = [sa.create_engine(url), *bound(url, "server"), *bound(url, "client")]
    for engine, expected in zip(engines, (1, 1, 1, 0, 0), strict=True):
        with engine.connect() as conn:
            for _ in range(3):
                assert conn.execute(sa.text("SELECT CAST(:n AS int) AS given"), {"n": 7}).scalar() == 7
            assert conn.execute(prepared).scalar() == expected
        engine.dispose()
    with pytest.raises(sa.exc.ArgumentError, match="found 'both'"):
        sa.create_engine(url, binding="both")


def test_parameters_have_types(url):
    """A literal gets its type from its place, and a parameter of a function for any type has none."""
    for engine in [*bound(url, "server"), *bound(url, "client")]:
        with engine.connect() as conn:
            made = sa.func.json_build_object("a", 1, "b", date(2026, 1, 2), type_=sa.JSON)
            assert conn.execute(sa.select(made)).scalar() == {"a": 1, "b": "2026-01-02"}
            assert sa.inspect(conn).get_table_names() is not None
        engine.dispose()


def test_citext_ignores_case(url):
    """A parameter cast as the string that CITEXT derives from would."""
    table = sa.Table("ci", sa.MetaData(), sa.Column("word", CITEXT), prefixes=["TEMP"])
    for engine in [*bound(url, "server"), *bound(url, "client")]:
        with engine.connect() as conn:
            conn.execute(sa.text("CREATE EXTENSION IF NOT EXISTS citext"))
            table.create(conn)
            conn.execute(table.insert(), [{"word": "Hello"}, {"word": "other"}])
            assert conn.execute(sa.select(table).where(table.c.word == "hELLO")).all() == [("Hello",)]
            conn.rollback()
        engine.dispose()


def test_a_changed_table_is_no_error_for_what_was_prepared(url):
    engine, _ = bound(url, "server")
    with engine.connect() as conn:
        conn.execute(sa.text("CREATE TEMP TABLE changing (a int)"))
        conn.execute(sa.text("INSERT INTO changing VALUES (1)"))
        conn.commit()
        for _ in range(3):
            assert conn.execute(sa.text("SELECT * FROM changing")).all() == [(1,)]
        conn.commit()
        conn.execute(sa.text("ALTER TABLE changing ADD b text DEFAULT 'new'"))
        conn.commit()
        assert conn.execute(sa.text("SELECT * FROM changing")).all() == [(1, "new")]


def test_raw_statements_take_names_and_places(engine):
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SELECT %(a)s || %(b)s", {"a": "x", "b": "y"}).scalar() == "xy"
        assert conn.exec_driver_sql("SELECT %s || %s", ("x", "y")).scalar() == "xy"
