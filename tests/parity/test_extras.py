"""`extras` and `sql`, beside psycopg2's: rows with names, batches, compositions, logging."""

from __future__ import annotations

import pickle

import pytest

from tests.parity.harness import MODULES, typed

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
