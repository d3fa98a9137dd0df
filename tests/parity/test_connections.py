"""A connection's methods and attributes, beside psycopg2's."""

from __future__ import annotations

import pickle

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.sql
import pytest

from tests.parity.harness import error, observe, typed


def isolation(cur):
    cur.execute(
        "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),"
        " current_setting('transaction_deferrable')"
    )
    return cur.fetchone()


def statuses(module, conn):
    seen = []

    def note():
        seen.append((conn.status, conn.get_transaction_status(), conn.info.transaction_status, conn.closed))

    note()
    cur = conn.cursor()
    note()
    cur.execute("SELECT 1")
    note()
    conn.commit()
    note()
    cur.execute("SELECT 1")
    conn.rollback()
    note()
    with pytest.raises(module.Error):
        cur.execute("SELECT nope")
    note()
    conn.commit()  # of a failed transaction: a rollback
    note()
    conn.autocommit = True
    cur.execute("SELECT 1")
    note()
    with pytest.raises(module.Error):
        cur.execute("SELECT nope")
    note()
    conn.close()
    seen.append((conn.closed, conn.status))
    return seen


def with_blocks(module, conn):
    seen = []
    conn.autocommit = True
    conn.cursor().execute("DROP TABLE IF EXISTS parity_with; CREATE TABLE parity_with (a int)")
    conn.autocommit = False
    with conn as same, conn.cursor() as cur:
        seen.append(same is conn)
        cur.execute("INSERT INTO parity_with VALUES (1)")
    seen.append((conn.status, cur.closed, conn.closed))
    with pytest.raises(ZeroDivisionError):
        with conn, conn.cursor() as cur:
            cur.execute("INSERT INTO parity_with VALUES (2)")
            1 / 0
    seen.append((conn.status, cur.closed))
    with pytest.raises(module.ProgrammingError) as nested:
        with conn:
            with conn:
                pass
    seen.append(str(nested.value))
    conn.rollback()
    with conn.cursor() as cur:
        cur.execute("SELECT a FROM parity_with")
        seen.append(cur.fetchall())
        cur.execute("DROP TABLE parity_with")
    conn.commit()
    return seen


def isolation_levels(module, conn):
    seen = []
    cur = conn.cursor()
    for level in (
        None,
        1,
        2,
        3,
        4,
        "serializable",
        "READ COMMITTED",
        "repeatable read",
        "default",
        "Read Uncommitted",
    ):
        conn.isolation_level = level
        seen.append((level, conn.isolation_level, isolation(cur)))
        conn.rollback()
    for level in (0, 5, -1, "x", 1.5, ()):
        try:
            conn.isolation_level = level
            seen.append((level, conn.isolation_level))
        except Exception as raised:
            seen.append((level, error(raised)))
    cur.execute("SELECT 1")
    with pytest.raises(module.ProgrammingError) as inside:
        conn.isolation_level = 1
    seen.append(str(inside.value))
    return seen


def set_isolation_level(module, conn):
    seen = []
    for level in (0, 1, 2, 3, 4, None):
        conn.set_isolation_level(level)
        seen.append((level, conn.isolation_level, conn.autocommit, isolation(conn.cursor())))
        conn.rollback()
    conn.cursor().execute("SELECT 1")
    conn.set_isolation_level(3)  # rolls back
    seen.append(conn.status)
    for level in (5, -1):
        try:
            conn.set_isolation_level(level)
            seen.append((level, conn.isolation_level))
        except Exception as raised:
            seen.append(error(raised))
    return seen


def sessions(module, conn):
    seen = []
    cur = conn.cursor()
    for settings in (
        {},
        {"isolation_level": 3},
        {"isolation_level": "read committed", "readonly": True},
        {"readonly": False, "deferrable": True},
        {"isolation_level": "serializable", "readonly": True, "deferrable": True},
        {"isolation_level": "default", "readonly": "default", "deferrable": "default"},
        {"autocommit": True},
        {"autocommit": False, "isolation_level": None, "readonly": None},
        {"isolation_level": 9},
        {"readonly": "perhaps"},
        {"nonsense": 1},
    ):
        try:
            conn.set_session(**settings)
            seen.append(
                (conn.isolation_level, conn.readonly, conn.deferrable, conn.autocommit, isolation(cur))
            )
        except Exception as raised:
            seen.append(error(raised))
        conn.rollback()
    cur.execute("SELECT 1")
    with pytest.raises(module.ProgrammingError) as inside:
        conn.set_session(autocommit=True)
    seen.append(str(inside.value))
    return seen


def autocommit(module, conn):
    seen = []
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute("SELECT txid_current_if_assigned()")
        seen.append((conn.status, conn.get_transaction_status()))
        cur.execute("BEGIN")
        seen.append((conn.status, conn.get_transaction_status()))
        cur.execute("COMMIT")
    conn.autocommit = 0
    conn.cursor().execute("SELECT 1")
    with pytest.raises(module.ProgrammingError) as inside:
        conn.autocommit = True
    seen.append(str(inside.value))
    return seen


def properties(module, conn):
    names = [
        "readonly", "deferrable", "isolation_level", "async_", "protocol_version", "server_version", "encoding",
        "binary_types", "cursor_factory", "pgconn_ptr",
    ]  # fmt: skip
    names.remove("pgconn_ptr")  # an address in libpq
    seen = [(name, getattr(conn, name)) for name in names]
    for name in ("dsn", "closed", "status", "info", "encoding"):
        try:
            setattr(conn, name, 1)
            seen.append((name, "set"))
        except Exception as raised:
            seen.append((name, type(raised).__name__))
    for name in ("server_encoding", "TimeZone", "no_such_parameter", "integer_datetimes"):
        seen.append((name, conn.get_parameter_status(name), conn.info.parameter_status(name)))
    info = conn.info
    seen += [
        (name, getattr(info, name))
        for name in (
            "dbname",
            "user",
            "host",
            "port",
            "options",
            "status",
            "ssl_in_use",
            "needs_password",
            "used_password",
            "password",
            "protocol_version",
            "server_version",
            "error_message",
        )
    ]
    seen.append(conn.get_backend_pid() == info.backend_pid)
    seen.append(conn.fileno() == info.socket)
    seen.append(conn.isexecuting())
    return seen


def notices(module, conn):
    cur = conn.cursor()
    cur.execute("DO $$ BEGIN FOR i IN 1..60 LOOP RAISE NOTICE 'number %', i; END LOOP; END $$")
    kept = list(conn.notices)
    del conn.notices[:]
    cur.execute("DROP TABLE IF EXISTS no_such_thing")
    return kept, conn.notices


def client_encoding(module, conn):
    seen = []
    for name in ("LATIN1", "utf-8", "UTF8", "iso_8859_5", "sql_ascii", "euc_jp"):
        conn.set_client_encoding(name)
        cur = conn.cursor()
        seen.append((name, conn.encoding))
        try:
            cur.execute("SELECT %s, chr(233)", ("\u00e9",))
            seen.append((cur.query, cur.fetchall()))
        except Exception as raised:
            seen.append(type(raised).__name__)
        conn.rollback()
    with pytest.raises(Exception) as wrong:
        conn.set_client_encoding("no such encoding")
    seen.append(error(wrong.value))
    return seen


def reset(module, conn):
    conn.set_session(isolation_level=3, autocommit=True)
    conn.cursor().execute("SET timezone = 'Asia/Jakarta'")
    conn.reset()
    cur = conn.cursor()
    cur.execute("SHOW timezone")
    return cur.fetchall(), conn.isolation_level, conn.autocommit, conn.status


def closed(module, conn):
    cur = conn.cursor()
    conn.close()
    conn.close()
    seen = [conn.closed, cur.closed]
    for attempt in (
        conn.cursor,
        conn.commit,
        conn.rollback,
        conn.cancel,
        conn.reset,
        conn.get_transaction_status,
        conn.get_backend_pid,
        conn.fileno,
        conn.poll,
        lambda: conn.set_session(autocommit=True),
        lambda: conn.set_client_encoding("utf8"),
        lambda: cur.execute("SELECT 1"),
        lambda: cur.fetchone(),
        lambda: cur.mogrify("SELECT %s", (1,)),
        conn.__enter__,
    ):
        try:
            seen.append(attempt())
        except Exception as raised:
            seen.append(error(raised))
    return seen


def terminated(module, conn):
    """The server ends the session."""
    cur = conn.cursor()
    seen = []
    for attempt in (
        lambda: cur.execute("SELECT pg_terminate_backend(pg_backend_pid())"),
        lambda: cur.execute("SELECT 1"),
        conn.rollback,
        conn.commit,
    ):
        try:
            seen.append(attempt())
        except Exception as raised:
            # The server's last words have an SQLSTATE, which libpq loses and kecoa keeps.
            classes = [c for c in type(raised).__mro__ if c.__module__ in ("psycopg2", "kecoa")]
            seen.append([c.__name__ for c in classes])
        seen.append(conn.closed)
    seen.append(conn.closed)
    return seen


def cancelled(module, conn):
    cur = conn.cursor()
    cur.execute("SET statement_timeout = '30ms'")
    try:
        cur.execute("SELECT pg_sleep(10)")
    except module.extensions.QueryCanceledError as raised:
        return error(raised), conn.status, conn.get_transaction_status()


def pickles(module, conn):
    cur = conn.cursor()
    cur.execute("SELECT 1 AS one")
    column = pickle.loads(pickle.dumps(cur.description[0]))
    seen = [tuple(column), column.name, column == cur.description[0], repr(column)]
    try:
        cur.execute("SELECT nope")
    except module.Error as raised:
        copy = pickle.loads(pickle.dumps(raised))
        seen.append(
            (type(copy).__name__, str(copy), copy.pgcode, copy.pgerror, copy.cursor, copy.diag.sqlstate)
        )
    return seen


def exceptions_on_the_connection(module, conn):
    names = ["Warning", "Error", "InterfaceError", "DatabaseError", "DataError", "OperationalError", "IntegrityError",
             "InternalError", "ProgrammingError", "NotSupportedError"]  # fmt: skip
    return [(name, getattr(conn, name) is getattr(module, name)) for name in names]


@pytest.mark.parametrize(
    "action",
    [statuses, with_blocks, isolation_levels, set_isolation_level, sessions, autocommit, properties, notices,
     client_encoding, reset, closed, terminated, cancelled, pickles, exceptions_on_the_connection],
    ids=lambda action: action.__name__,
)  # fmt: skip
def test_a_connection(both, action):
    both(action)


def test_what_observe_sees_is_not_nothing(dsn):
    """The comparison itself: an outcome differs where it should."""
    conn = psycopg2.connect(dsn)
    one = observe(psycopg2, conn, lambda module, conn, cur: cur.execute("SELECT 1"))
    two = observe(psycopg2, conn, lambda module, conn, cur: cur.execute("SELECT nope"))
    conn.close()
    assert one != two
    assert typed(1) != typed(True)
    assert typed([1]) != typed((1,))
