"""Connections: transactions, settings, errors of connecting, as psycopg2 has them."""

from __future__ import annotations

import pickle

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import psycopg2.sql
import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
import kecoa.sql
from tests.parity.harness import describe_connection, error, observe, typed

MODULES = (psycopg2, kecoa)


@pytest.fixture
def both(dsn):
    """Asserts that an action on a connection of its own has the same outcome with both drivers."""

    def compare(action, **kwargs):
        outcomes = []
        for module in MODULES:
            conn = module.connect(dsn, **kwargs)
            try:
                try:
                    result = typed(action(module, conn))
                except Exception as raised:
                    result = ("raised", error(raised))
                state = describe_connection(conn)
                if conn.closed == 2:
                    del state["status"]  # of a broken connection it says nothing
                outcomes.append((result, state))
            finally:
                conn.close()
        assert outcomes[1] == outcomes[0]

    return compare


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


EXTRAS = {
    "DictCursor": lambda row: [row, list(row), row["a"], row[1], row.get("zz", 5), list(row.keys()), list(row.values()), list(row.items()), "a" in row, len(row), row.copy(), row == [1, "x", None]],
    "RealDictCursor": lambda row: [row, dict(row), row["a"], row.get("zz", 5), list(row), list(row.items()), "a" in row, len(row)],
    "NamedTupleCursor": lambda row: [row, row.a, row._fields, row[1], tuple(row)],
}  # fmt: skip


@pytest.mark.parametrize("name", EXTRAS)
def test_rows_with_names(both, name):
    def action(module, conn):
        cur = conn.cursor(cursor_factory=getattr(module.extras, name))
        seen = []
        for sql in ("SELECT 1 AS a, 'x' AS b, NULL AS c", 'SELECT 1 AS a, 2 AS "b c", 3 AS "1d", 4 AS _e'):
            cur.execute(sql + " UNION ALL " + sql.replace("1 AS a", "2 AS a") + " ORDER BY 1")
            first = cur.fetchone()
            seen += [type(first).__name__, first]
            if "x" in sql:
                seen.append(EXTRAS[name](first))
            seen += [cur.fetchmany(1), cur.fetchone(), cur.fetchall()]
            cur.execute(sql)
            seen.append(list(cur))
            cur.execute(sql)
            seen.append(pickle.loads(pickle.dumps(cur.fetchone())) if name != "NamedTupleCursor" else None)
        cur.execute("SELECT 1 AS a, 2 AS a")
        try:
            seen.append(cur.fetchone())
        except ValueError as raised:
            seen.append(str(raised))
        cur.callproc("upper", ["a"])
        seen.append(cur.fetchall())
        if name != "RealDictCursor":  # a row without columns holds psycopg2's own marker there
            cur.execute("SELECT")
            seen.append(cur.fetchall())
        return seen

    both(action)


@pytest.mark.parametrize("name", ["DictConnection", "RealDictConnection", "NamedTupleConnection"])
def test_connections_of_rows_with_names(dsn, name):
    rows = []
    for module in MODULES:
        conn = module.connect(dsn, connection_factory=getattr(module.extras, name))
        cur = conn.cursor()
        cur.execute("SELECT 1 AS a")
        rows.append((type(cur).__name__, typed(cur.fetchall())))
        conn.close()
    assert rows[0] == rows[1]


def test_a_row_factory_of_ones_own(both):
    def action(module, conn):
        class Row(list):
            def __init__(self, cursor):
                super().__init__([None] * len(cursor.description))

        cur = conn.cursor()
        cur.row_factory = Row
        cur.execute("SELECT 1, 2 UNION ALL SELECT 3, 4 ORDER BY 1")
        seen = [cur.fetchone(), cur.fetchall()]
        cur = conn.cursor(cursor_factory=module.extras.DictCursor)
        cur.row_factory = Row
        cur.execute("SELECT 1, 2")
        return [*seen, cur.fetchall()]

    both(action)


def batches(module, conn):
    cur = conn.cursor()
    cur.execute("CREATE TEMP TABLE t_batch (a int, b text)")
    module.extras.execute_batch(
        cur, "INSERT INTO t_batch VALUES (%s, %s)", [(i, f"v{i}") for i in range(7)], page_size=3
    )
    seen = [cur.query, cur.rowcount]
    for kwargs in (
        {},
        {"page_size": 2},
        {"template": "(%s, upper(%s))"},
        {"fetch": True},
        {"page_size": 2, "fetch": True},
    ):
        returned = module.extras.execute_values(
            cur,
            "INSERT INTO t_batch VALUES %s RETURNING a, b, '%%'",
            [(i, "x") for i in range(5)],
            **kwargs,
        )
        seen += [returned, cur.query, cur.rowcount]
    seen.append(
        module.extras.execute_values(
            cur, "SELECT * FROM (VALUES %s) v", [{"k": 1}], template="(%(k)s)", fetch=True
        )
    )
    seen.append(module.extras.execute_values(cur, "SELECT %s", [], fetch=True))
    for wrong in ("INSERT INTO t_batch", "%s %s", "%d %s", "%"):
        with pytest.raises(ValueError) as raised:
            module.extras.execute_values(cur, wrong, [(1, 2)])
        seen.append(str(raised.value))
    return seen


def composed(module, conn):
    sql = module.sql
    parts = [
        sql.SQL("SELECT {}, {name} FROM {}").format(
            sql.Literal("it's"), sql.Identifier("s", 't"x'), name=sql.Placeholder("p")
        ),
        sql.SQL(", ").join([sql.Identifier("a"), sql.SQL("b"), sql.NULL, sql.DEFAULT]),
        sql.SQL("{0} {1} {0}").format(sql.Literal(1), sql.Literal(None)),
        sql.SQL("a") + sql.SQL("b") * 3,
        sql.Composed([sql.SQL("x"), sql.Placeholder()]).join("-"),
        sql.Literal([1, "a", None]),
        sql.SQL("{{}} {}").format(sql.SQL("x")),
    ]
    seen = [(repr(part), part.as_string(conn), part.as_string(conn.cursor())) for part in parts]
    seen.append(
        [sql.SQL("a") == sql.SQL("a"), sql.SQL("a") == sql.Identifier("a"), sql.Identifier("a", "b").strings]
    )
    cur = conn.cursor()
    cur.execute(sql.SQL("SELECT {} AS {}").format(sql.Literal(5), sql.Identifier("n m")))
    seen += [cur.fetchall(), cur.description[0].name, cur.mogrify(sql.SQL("SELECT %s"), (1,))]
    for wrong in (
        lambda: sql.SQL(1),
        lambda: sql.Identifier(),
        lambda: sql.Identifier(1),
        lambda: sql.Composed(["x"]),
        lambda: sql.SQL("{!r}").format(sql.SQL("x")),
        lambda: sql.SQL("{:<5}").format(sql.SQL("x")),
        lambda: sql.SQL("{} {0}").format(sql.SQL("x")),
        lambda: sql.SQL("{0} {}").format(sql.SQL("x")),
        lambda: sql.SQL("{}").format("x"),
        lambda: sql.SQL("{}").format(),
        lambda: sql.Placeholder("a)b"),
        lambda: sql.Placeholder(1),
        lambda: sql.Identifier("a", "b").string,
        lambda: sql.Literal(1).as_string(None),
        lambda: sql.Composed([]).join(1),
        lambda: sql.SQL("a") + "b",
    ):
        with pytest.raises(Exception) as raised:
            wrong()
        seen.append((type(raised.value).__name__, str(raised.value)))
    return seen


def logging_connection(module, conn):
    import io

    class Log(io.StringIO):
        pass

    log = Log()
    logged = module.connect(conn.dsn, connection_factory=module.extras.LoggingConnection)
    with pytest.raises(module.ProgrammingError):
        logged.cursor()
    logged.initialize(log)
    logged.cursor().execute("SELECT %s", (1,))
    logged.close()
    return log.getvalue()


@pytest.mark.parametrize(
    "action", [batches, composed, logging_connection], ids=lambda action: action.__name__
)
def test_extras(both, action):
    both(action)


def test_every_sqlstate_has_psycopg2s_class():
    from psycopg2 import errorcodes as their_codes, errors as their_errors
    from psycopg2._psycopg import sqlstate_errors as theirs

    from kecoa import errorcodes, errors
    from kecoa._kecoa import sqlstate_errors as ours

    for code, their in theirs.items():
        own = ours[code]
        assert [c.__name__ for c in own.__mro__] == [c.__name__ for c in their.__mro__], code
        assert getattr(errors, their.__name__) is own
        assert errors.lookup(code) is own
        assert getattr(their_errors, their.__name__) is their
    for name, value in vars(their_codes).items():
        if name.isupper():
            assert getattr(errorcodes, name) == value
            assert errorcodes.lookup(value) == their_codes.lookup(value)
    with pytest.raises(KeyError):
        errors.lookup("nope")
    with pytest.raises(KeyError):
        errorcodes.lookup("nope")


def test_cockroachdbs_own_sqlstates():
    from kecoa import errorcodes, errors

    assert issubclass(errors.lookup("58C00"), kecoa.OperationalError)
    assert errors.TransactionCommittedWithSchemaChangeFailure is errors.lookup("XXA00")
    assert errorcodes.TRANSACTION_COMMITTED_WITH_SCHEMA_CHANGE_FAILURE == "XXA00"


def test_what_observe_sees_is_not_nothing(dsn):
    """The comparison itself: an outcome differs where it should."""
    conn = psycopg2.connect(dsn)
    one = observe(psycopg2, conn, lambda module, conn, cur: cur.execute("SELECT 1"))
    two = observe(psycopg2, conn, lambda module, conn, cur: cur.execute("SELECT nope"))
    conn.close()
    assert one != two
    assert typed(1) != typed(True)
    assert typed([1]) != typed((1,))
