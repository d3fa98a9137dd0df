"""Server binding: it means what client binding means, and prepares what comes again."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import pytest

import kecoa
import kecoa.extras
from tests.parity.harness import typed

VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**31 - 1,
    -(2**31),
    2**31,
    2**63 - 1,
    -(2**63),
    2**63,
    10**40,
    0.0,
    -1.5,
    1e300,
    5e-324,
    float("inf"),
    float("nan"),
    decimal.Decimal("1.50"),
    decimal.Decimal("-0.0001"),
    decimal.Decimal("NaN"),
    "",
    "plain",
    "it's",
    "back\\slash",
    "%s %(a)s %% $1 ; -- /*",
    "\u00e9\u4e2d\U0001f697\n",
    b"",
    b"\x00\xff'\\",
    bytearray(b"ab"),
    memoryview(b"cd"),
    dt.date(1, 1, 1),
    dt.date(9999, 12, 31),
    dt.time(12, 34, 56, 789),
    dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    dt.datetime(2024, 2, 29, 23, 59, 59, 999999),
    dt.datetime(2024, 2, 29, tzinfo=dt.timezone.utc),
    dt.timedelta(days=-3, seconds=5, microseconds=7),
    [],
    [1, 2, 3],
    [1, None, 2**40],
    [1, decimal.Decimal("2.5")],
    ["a", "b'c", 'd"e', "f\\g", None],
    [None],
    [[1, 2], [3, 4]],
    [dt.date(2020, 1, 1)],
    [True, False],
    [b"x"],
]


@pytest.fixture(params=["statement", "transaction"])
def both(dsn, request):
    """Connections of the two bindings: one statement a transaction, and one transaction for all."""
    connections = kecoa.connect(dsn), kecoa.connect(dsn, binding="server")
    for connection in connections:
        connection.autocommit = request.param == "statement"
        kecoa.extras.register_uuid(conn_or_curs=connection)
    yield connections
    for connection in connections:
        connection.close()


def outcome(connection, query, values):
    """What a statement gives, or its error."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(query, values)
        except kecoa.Error as error:
            connection.rollback()
            return type(error).__name__, error.pgcode
        if cursor.description is None:
            return cursor.rowcount, cursor.statusmessage
        # A cast gives its literal's column a name; the parameter in its place has none.
        types = [column.type_code for column in cursor.description]
        return types, typed(cursor.fetchall()), cursor.rowcount, cursor.statusmessage, cursor.query


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_a_value_is_what_its_literal_is(both, value):
    client, server = both
    for query in ("SELECT %s", "SELECT %s AS a, %s AS b", "SELECT coalesce(%s, %s) IS NULL"):
        values = (value,) * query.count("%s")
        expected = outcome(client, query, values)
        # Unnamed, prepared, and by name.
        for _ in range(4):
            assert outcome(server, query, values) == expected


STATEMENTS = [
    ("SELECT oid FROM pg_type WHERE oid IN %s ORDER BY oid", ((16, 23),)),
    ("SELECT oid FROM pg_type WHERE oid = ANY(%s) ORDER BY oid", ([16, 23],)),
    ("SELECT INTERVAL %s", ("1 day",)),
    ("SELECT date %s", ("2020-01-01",)),
    ("SELECT '%%' || %s", ("x",)),
    ("SELECT typname FROM pg_type WHERE oid < 30 ORDER BY %s", (1,)),
    ("SELECT typname FROM pg_type ORDER BY oid LIMIT %s OFFSET %s", (2, 1)),
    ("SELECT %(a)s, %(b)s, %(a)s", {"a": 1, "b": "x"}),
    ("SELECT 1; SELECT %s", (2,)),
    ("SELECT 1;", None),
    ("SELECT 'a;b', %s", ("c;d",)),
    ("SELECT %s /* comment */ -- more", (1,)),
    ("SET application_name = %s", ("kecoa test",)),
    ("CREATE TEMP TABLE binding_a AS SELECT %s::int AS a", (1,)),
    ("INSERT INTO binding_b VALUES (%s, %s) RETURNING a", (1, "x")),
    ("INSERT INTO binding_b SELECT g, 'y' FROM generate_series(1, %s) g", (5,)),
    ("UPDATE binding_b SET b = %s WHERE a > %s", ("z", 3)),
    ("DELETE FROM binding_b WHERE a = %s", (2,)),
    ("WITH x AS (SELECT %s::int AS n) SELECT n + 1 FROM x", (41,)),
    ("VALUES (%s, %s)", (1, "a")),
    ("SELECT %s = ANY(ARRAY['a', 'b'])", ("b",)),
    ("SELECT 'abc' LIKE %s", ("a%",)),
    ("SELECT jsonb_build_object('k', %s::int)", (1,)),
    ("SELECT '{\"a\": 1}'::jsonb -> %s", ("a",)),
    ("SELECT to_json(%s::text)", ("x",)),
    ("SELECT round(%s, 1)", (1.25,)),
    ("SELECT %s::timestamptz AT TIME ZONE 'UTC'", (dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),)),
    ("SELECT %s::uuid", (uuid.UUID(int=5),)),
    ("SELECT %s::jsonb", (kecoa.extras.Json({"a": [1, None]}),)),
    ("SELECT 1 / %s", (0,)),
    ("SELECT %s::int", ("x",)),
    ("SELEC %s", (1,)),
    ("SELECT nothing FROM nowhere WHERE a = %s", (1,)),
    # A tuple of one value, which is no number in parentheses.
    ("SELECT a FROM binding_b WHERE -a IN %s", ((-1,),)),
    ("SELECT a FROM binding_b WHERE -a / 2.0 IN %s", ((-0.5,),)),
    ("SELECT a FROM binding_b WHERE a NOT IN %s", ((-(2**31),),)),
    ("DELETE FROM binding_b WHERE a IN %s", ((-1,),)),
    # By the fields of its type a literal is read; a parameter is cut to them.
    ("SELECT %s::interval hour", ("1",)),
    ("SELECT CAST(%s AS interval minute to second)", ("1:2",)),
    ("SELECT %s::interval", ("1",)),
    # Numbers that are positions of columns.
    ("SELECT DISTINCT ON (%s) a FROM binding_b", (1,)),
    ("SELECT a, b FROM binding_b GROUP BY (SELECT 1 LIMIT 1), %s, b ORDER BY 1", (1,)),
    ("SELECT a FROM binding_b ORDER BY (SELECT 1 WHERE true), %s", (2,)),
    ("SELECT sum(a) OVER (PARTITION BY b ORDER BY a), %s FROM binding_b", (1,)),
    # A parameter would have no type.
    ("SELECT a FROM binding_b WHERE %s IS NULL OR a = %s", (None, 1)),
    ("SELECT a FROM binding_b WHERE (%(a)s IS NOT NULL AND b = %(a)s)", {"a": "x"}),
    ("SELECT %s ISNULL, %s NOTNULL", ("a", [])),
]


@pytest.mark.parametrize(("query", "values"), STATEMENTS, ids=lambda value: str(value)[:50])
def test_a_statement_means_the_same(both, query, values):
    results = []
    for connection in both:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE binding_b (a int, b text)")
            cursor.execute("INSERT INTO binding_b SELECT g, 'x' FROM generate_series(1, 4) g")
        connection.commit()
        results.append([outcome(connection, query, values) for _ in range(4)])
    client, server = results
    assert server == client


class Unprepared:
    """As adapters of many programs, whose literals know nothing of a connection."""

    def __init__(self, value):
        self.value = value

    def getquoted(self):
        return kecoa.extensions.adapt(self.value.given).getquoted()


class Given:
    def __init__(self, given):
        self.given = given


@pytest.mark.parametrize("given", ["a\\b", "\\", b"\x00\xff", [b"\\"], ["\\", "'"]])
@pytest.mark.parametrize("standard", ["on", "off"])
def test_an_adapter_without_a_connection(dsn, standard, given):
    """It writes no E in front: where a backslash escapes in '…', what it means is the server's to say."""
    kecoa.extensions.register_adapter(Given, Unprepared)
    found = []
    for binding in ("client", "server"):
        with kecoa.connect(dsn, binding=binding) as connection, connection.cursor() as cursor:
            cursor.execute(f"SET standard_conforming_strings = {standard}; SET escape_string_warning = off")
            cursor.execute("CREATE TEMP TABLE unprepared (a text)")
            values = (Given(given), given)
            cursor.execute("SELECT %s, %s", values)
            as_given, sent = cursor.fetchone()
            assert typed(as_given) == typed(sent)
            cursor.executemany("INSERT INTO unprepared VALUES (%s)", [(Given("a\\;b"),)] * 3)
            cursor.execute("SELECT a FROM unprepared")
            found.append((typed(as_given), cursor.fetchall()))
        connection.rollback()
        connection.close()
    assert found[0] == found[1]
    assert found[0][1] == [("a\\;b",)] * 3


def test_wrong_arguments_are_the_same_errors(both):
    for query, values in [
        ("SELECT %s", ()),
        ("SELECT %s", (1, 2)),
        ("SELECT %(a)s", {}),
        ("SELECT %d", (1,)),
        ("SELECT %", (1,)),
        ("SELECT %s, %(a)s", (1,)),
        ("SELECT %s", (object(),)),
        ("SELECT %s", ("\0",)),
        ("", None),
    ]:
        found = []
        for connection in both:
            with pytest.raises(Exception) as caught, connection.cursor() as cursor:
                cursor.execute(query, values)
            found.append((type(caught.value), str(caught.value)))
            connection.rollback()
        assert found[0][0] == found[1][0], query
        if "object object" not in found[0][1]:
            assert found[0] == found[1], query


def prepared(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY 1", binding="client")
        return [row[0] for row in cursor.fetchall()]


def test_the_second_use_prepares(dsn):
    with kecoa.connect(dsn, binding="server") as connection, connection.cursor() as cursor:
        seen = []
        for number in range(3):
            cursor.execute("SELECT %s + 1", (number,))
            assert cursor.fetchone() == (number + 1,)
            seen.append(prepared(connection))
    assert seen == [[], ["SELECT $1 + 1"], ["SELECT $1 + 1"]]


def test_a_call_can_choose(dsn):
    with kecoa.connect(dsn) as connection, connection.cursor() as cursor:
        assert connection.binding == "client"
        for _ in range(2):
            cursor.execute("SELECT %s", (1,), binding="server")
        assert prepared(connection) == ["SELECT $1"]
        connection.binding = "server"
        for _ in range(2):
            cursor.execute("SELECT %s, 2", (1,), binding="client")
        assert prepared(connection) == ["SELECT $1"]
        with pytest.raises(ValueError, match=r'expected the binding "client" or "server", found "x"'):
            cursor.execute("SELECT 1", binding="x")
        with pytest.raises(ValueError, match="found"):
            connection.binding = "Server"
    with pytest.raises(ValueError, match="found"):
        kecoa.connect(dsn, binding="none")


def test_a_change_of_schema_between_transactions_goes_unnoticed(dsn):
    connection = kecoa.connect(dsn, binding="server")
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE binding_c (a int)")
        cursor.execute("INSERT INTO binding_c VALUES (7)")
        names = ["a"]
        for addition in (None, "b text", "c date"):
            if addition:
                cursor.execute(f"ALTER TABLE binding_c ADD {addition}")
                names.append(addition[0])
            for _ in range(4):
                cursor.execute("SELECT * FROM binding_c WHERE a > %s", (1,))
                assert [column.name for column in cursor.description] == names
                assert cursor.fetchone()[0] == 7
    connection.close()


def test_begin_travels_in_front(dsn):
    with kecoa.connect(dsn, binding="server") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT %s", (1,))
        assert connection.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INTRANS
        connection.rollback()
        with pytest.raises(kecoa.errors.SyntaxError) as caught:
            cursor.execute("SELECT %s FRM x y", (1,))
        assert caught.value.diag.statement_position == "15"
        assert connection.info.transaction_status == kecoa.extensions.TRANSACTION_STATUS_INERROR
        connection.rollback()


@pytest.mark.parametrize("binding", ["client", "server"])
def test_a_statement_that_cannot_be_merged_leaves_none_to_show(conn, peer, binding):
    """`cursor.query`, as psycopg2 has it."""

    def shown(cur, **options):
        seen = []
        for query, arguments in [
            ("SELECT %s, %s", (1,)),
            ("SELECT %s", (object(),)),
            ("SELECT %(a)s", {"b": 1}),
            ("SELECT %", (1,)),
            ("", None),
            (None, None),
            (5, None),
        ]:
            cur.execute("SELECT 5", **options)
            with pytest.raises(Exception) as caught:
                cur.execute(query, arguments, **options)
            seen.append((caught.type.__name__, cur.query))
        return seen

    assert shown(conn.cursor(), binding=binding) == shown(peer.cursor())


def test_behind_a_statement_that_was_not_sent_there_are_no_rows_of_another(connect):
    cur = connect(binding="server").cursor()
    failing = [
        lambda: cur.execute("SELECT %s", (1, 2)),
        lambda: cur.executemany("SELECT %s", [(1, 2)]),
        lambda: cur.execute_arrow("SELECT %s", (1, 2)),
        lambda: cur.stream("SELECT %s", (1, 2)),
    ]
    for fails in failing:
        cur.execute("SELECT generate_series(1, 3)")
        assert cur.fetchone() == (1,)
        with pytest.raises(TypeError):
            fails()
        with pytest.raises(kecoa.ProgrammingError, match="no results"):
            cur.fetchone()
