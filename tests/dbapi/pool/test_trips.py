"""What a block with a pool's connection sends: its statements and what they began, and nothing besides."""

from __future__ import annotations

import pytest

from kecoa import pool
from tests.dbapi.scripted_server import ScriptedServer


@pytest.mark.parametrize(
    ("autocommit", "statements", "trips"),
    [
        (False, [], []),
        (False, ["SELECT 1"], ["BEGIN;SELECT 1", "COMMIT"]),
        (False, ["SELECT 1", "SELECT 2"], ["BEGIN;SELECT 1", "SELECT 2", "COMMIT"]),
        (True, ["SELECT 1"], ["SELECT 1"]),
    ],
)
def test_a_block(autocommit: bool, statements: list[str], trips: list[str]) -> None:
    def configure(conn: object) -> None:
        conn.autocommit = autocommit  # type: ignore[attr-defined]

    with ScriptedServer() as server, pool.Pool(server.dsn, min_size=1, configure=configure) as connections:
        connections.wait()
        del server.seen[:]
        for _ in range(2):
            with connections.connection() as conn:
                for statement in statements:
                    conn.cursor().execute(statement)
        assert server.seen == trips * 2


@pytest.mark.parametrize("threaded", [False, True])
def test_psycopg2s_classes(threaded: bool) -> None:
    with ScriptedServer() as server:
        made = (pool.ThreadedConnectionPool if threaded else pool.SimpleConnectionPool)(1, 2, server.dsn)
        del server.seen[:]
        for _ in range(2):
            made.putconn(made.getconn())
        assert server.seen == []
        conn = made.getconn()
        conn.cursor().execute("SELECT 1")
        made.putconn(conn)
        assert server.seen == ["BEGIN;SELECT 1", "ROLLBACK"]
        conn = made.getconn()
        conn.close()
        made.putconn(conn)
        assert made.getconn() is not conn
        made.closeall()
