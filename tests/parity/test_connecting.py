"""`connect`, DSNs and factories, beside psycopg2's."""

from __future__ import annotations

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.sql
import pytest

from tests.parity.harness import MODULES, error, typed

DSNS = [
    "", "dbname=x", "dbname = 'a b' user='it''s'", r"password='a\'b\\c'", "host=a,b port=1,2", "nonsense=1", "dbname",
    "dbname=", "=x", "dbname='x", "postgresql://", "postgresql://u:p@h:1/d?sslmode=require&application_name=a%20b",
    "postgres://[::1]:5/d", "postgresql:///d?host=/tmp&port=7", "postgresql://u@h1:1,h2:2/d", "postgresql://h?nonsense=1",
    "postgresql://u%zz@h", "postgresql://h:x", "postgresql://h/%00", "connect_timeout=10 connect_timeout=20", "a=b c",
    "  dbname=x  ", "dbname=x\tuser=y\n",
]  # fmt: skip


def _of_each(function):
    outcomes = []
    for module in MODULES:
        try:
            outcomes.append(typed(function(module)))
        except Exception as raised:
            outcomes.append(("raised", error(raised)))
    return outcomes


@pytest.mark.parametrize("text", DSNS)
def test_parse_dsn(text):
    theirs, ours = _of_each(lambda module: sorted(module.extensions.parse_dsn(text).items()))
    # The words of the complaint are libpq's; that there is one, and of which class, is what counts.
    if theirs[0] == "raised":
        assert ours[0] == "raised"
        assert ours[1][0] == theirs[1][0]
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    ("dsn_", "kwargs"),
    [
        (None, {}),
        ("dbname=x", {}),
        ("dbname=x", {"dbname": "y"}),
        ("dbname=x user=u", {"database": "y", "port": 5}),
        (None, {"database": "a b", "user": "it's", "password": "back\\slash", "options": ""}),
        (None, {"dbname": "x", "host": None}),
        ("postgresql://u@h/d", {"password": "p w"}),
        (None, {"database": "x", "dbname": "y"}),
        (None, {"nonsense": 1}),
        ("nonsense", {}),
        ("dbname=x", {"user": "tab\tnew\nline"}),
    ],
)
def test_make_dsn(dsn_, kwargs):
    theirs, ours = _of_each(lambda module: module.extensions.make_dsn(dsn_, **kwargs))
    if theirs[0] == "raised" and theirs[1][0] != "TypeError":
        assert ours[0] == "raised"
        assert ours[1][0] == theirs[1][0]
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    "change",
    [{"dbname": "no_such_database"}, {"user": "no_such_user"}, {"port": 1}, {"host": "/no/such/folder"},
     {"options": "-c nonsense=1"}, {"port": "x"}, {"host": "127.0.0.1", "port": 1}],
    ids=str,
)  # fmt: skip
def test_refused_connections(dsn, change):
    theirs, ours = _of_each(lambda module: module.connect(dsn, **change))
    assert ours[0] == theirs[0] == "raised"
    # The exception's class; the words around the server's message are libpq's. A refusal's SQLSTATE, which
    # libpq loses, kecoa keeps.
    assert ours[1][0] == theirs[1][0]


def test_a_connect_replaced_by_its_users(dsn, monkeypatch):
    for module in MODULES:
        calls = []
        monkeypatch.setattr(
            module, "_connect", lambda *args, calls=calls, **kwargs: calls.append((args, kwargs))
        )
        module.connect("dbname=x", user="u", async_=1)
        module.connect("dbname=x", **{"async": True})
        module.connect(dbname="y", connection_factory=int)
        if module is psycopg2:
            expected = calls
    assert calls == expected


def test_connection_and_cursor_factories(dsn):
    for module in MODULES:

        class Conn(module.extensions.connection):
            def __init__(self, dsn, **kwargs):
                self.extra = kwargs
                super().__init__(dsn, **kwargs)

        class Cur(module.extensions.cursor):
            def execute(self, query, vars=None):
                self.executed = query
                return super().execute(query, vars)

        conn = module.connect(dsn, connection_factory=Conn, cursor_factory=Cur)
        assert type(conn) is Conn
        assert conn.cursor_factory is Cur
        cur = conn.cursor()
        assert type(cur) is Cur
        cur.execute("SELECT 1")
        assert cur.executed == "SELECT 1"
        assert cur.connection is conn
        assert type(conn.cursor(cursor_factory=module.extensions.cursor)) is module.extensions.cursor
        with pytest.raises(TypeError):
            conn.cursor(cursor_factory=lambda *args, **kwargs: 1)
        conn.close()
