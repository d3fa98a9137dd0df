"""What one caller changes of a connection is not there for the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kecoa
from kecoa import extensions
from kecoa.extras import DictCursor
from kecoa.pool import Pool
from kecoa.rows import RowConnection, dict_row, scalar_row


def scalar(conn: Any, sql: str) -> Any:
    with conn.cursor(cursor_factory=extensions.cursor) as cur:
        cur.execute(sql)
        return cur.fetchone()[0]


def change(conn: Any) -> None:
    """Change all that the connection's object keeps."""
    conn.set_session("SERIALIZABLE", readonly=True, deferrable=True, autocommit=True)
    conn.binding = "server"
    conn.statement_timeout = 5
    conn.cursor_factory = DictCursor
    extensions.register_type(extensions.new_type((23,), "SHOUT", lambda value, _: f"{value}!"), conn)
    conn.notices.append("theirs")
    conn.notices = ["theirs"]
    conn.notifies = ["theirs"]


def look(conn: Any) -> tuple[Any, ...]:
    own = conn.autocommit, conn.isolation_level, conn.readonly, conn.deferrable, conn.binding
    others = conn.statement_timeout, conn.cursor_factory, dict(conn.string_types)
    return (*own, *others, list(conn.notices), list(conn.notifies))


def test_the_object_is_as_it_was_after_configure(pool_of: Callable[..., Pool]) -> None:
    seen = []
    whisper = extensions.new_type((23,), "WHISPER", lambda value, _: f"({value})")

    def configure(conn: Any) -> None:
        conn.isolation_level = "REPEATABLE READ"
        conn.statement_timeout = 60
        extensions.register_type(whisper, conn)
        seen.append(look(conn))

    pool = pool_of(min_size=1, configure=configure)
    for _ in range(2):
        with pool.connection() as conn:
            assert look(conn) == seen[0]
            assert scalar(conn, "SELECT 1") == "(1)"
            assert scalar(conn, "SHOW transaction_isolation") == "repeatable read"
            conn.rollback()
            change(conn)
    assert pool.stats()["opened"] == 1


def test_row_factories_are_those_after_configure(pool_of: Callable[..., Pool]) -> None:
    for kwargs in ({"row_factory": dict_row}, {"connection_factory": RowConnection}):
        pool = pool_of(min_size=1, kwargs=kwargs)
        for _ in range(2):
            with pool.connection() as conn:
                cur = conn.cursor()
                cur.execute("SELECT 1 AS n")
                assert cur.fetchone() == ({"n": 1} if "row_factory" in kwargs else (1,))
                conn.row_factory = scalar_row


def test_without_changes_nothing_is_asked_of_the_server(
    pool_of: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(Pool, "discard_session", staticmethod(asked.append))
    pool = pool_of(min_size=1)
    with pool.connection() as conn:
        scalar(conn, "SELECT 1")
        conn.cursor_factory = DictCursor
    with pool.connection() as conn:
        conn.cursor().execute("SET LOCAL work_mem TO '77kB'")
        conn.cursor().execute("SET TRANSACTION READ ONLY")
        conn.cursor().execute("SET LOCAL work_mem TO %s", ("78kB",), binding="server")
    assert asked == []
    with pool.connection() as conn:
        assert conn.cursor_factory is None
        conn.cursor().execute("SET work_mem TO '77kB'")
    assert asked == [conn]


@pytest.mark.parametrize("binding", ["client", "server"])
def test_the_session_is_as_it_was_after_configure(pool_of: Callable[..., Pool], binding: str) -> None:
    configured = []

    def configure(conn: Any) -> None:
        configured.append(conn)
        conn.cursor().execute("SET application_name TO 'configured'; SET search_path TO pg_temp")
        conn.commit()

    def dirty(conn: Any, sql: str) -> None:
        conn.cursor().execute(sql)

    pool = pool_of(min_size=1, configure=configure, kwargs={"binding": binding})
    for sql in (
        "SET application_name TO 'theirs'",
        "RESET application_name",
        "SET search_path TO public; CREATE TEMP TABLE theirs (n int)",
        "SET ROLE pg_monitor",
        "SET client_encoding TO 'LATIN1'",
        "SET datestyle TO 'German'",
        "LISTEN theirs",
    ):
        with pool.connection() as conn:
            dirty(conn, sql)
        with pool.connection() as conn:
            assert scalar(conn, "SHOW application_name") == "configured"
            assert scalar(conn, "SHOW search_path") == "pg_temp"
            assert scalar(conn, "SELECT current_user = session_user")
            assert scalar(conn, "SELECT to_regclass('theirs')") is None
            assert scalar(conn, "SELECT count(*) FROM pg_listening_channels()") == 0
            assert conn.encoding == "UTF8"
            assert conn.get_parameter_status("DateStyle").startswith("ISO")
    assert pool.stats()["opened"] == 1
    assert len(configured) == 8


def test_messages_of_one_caller_are_not_the_next_ones(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1)
    with pool.connection() as conn:
        conn.cursor().execute("LISTEN theirs")
        conn.commit()
        conn.cursor().execute("NOTIFY theirs; DO $$ BEGIN RAISE NOTICE 'theirs'; END $$")
        conn.commit()
        assert len(conn.notifies) == len(conn.notices) == 1
    with pool.connection() as conn:
        assert (conn.notifies, conn.notices) == ([], [])


def test_with_a_reset_the_session_is_its_own_affair(pool_of: Callable[..., Pool]) -> None:
    pool = pool_of(min_size=1, reset=lambda conn: None)
    with pool.connection() as conn:
        conn.cursor().execute("SET application_name TO 'theirs'")
        conn.commit()
        conn.cursor_factory = DictCursor
    with pool.connection() as conn:
        assert conn.cursor_factory is None
        assert scalar(conn, "SHOW application_name") == "theirs"


def test_where_dates_are_written_otherwise_by_default(pool_of: Callable[..., Pool], dsn: str) -> None:
    pool = pool_of(min_size=1, kwargs={"options": "-c datestyle=German"})
    for _ in range(2):
        with pool.connection() as conn:
            assert scalar(conn, "SELECT date '2024-02-29'").isoformat() == "2024-02-29"
            conn.cursor().execute("SET datestyle TO 'German'")
    assert pool.stats()["opened"] == 1


def test_configure_that_fails_the_second_time_costs_the_connection(
    pool_of: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def configure(conn: Any) -> None:
        calls.append(conn)
        if len(calls) == 2:
            raise kecoa.ProgrammingError("not again")

    pool = pool_of(min_size=1, configure=configure)
    with pool.connection() as conn:
        conn.cursor().execute("SET work_mem TO '77kB'")
    assert conn.closed
    assert "not again" in caplog.text
    with pool.connection() as conn:
        assert scalar(conn, "SHOW work_mem") != "77kB"
