"""Results in binary form: the same objects as from text, from a server that is asked for both.

A binary cursor answers in binary form whatever is asked for, so that every loader is reached; server binding
asks for it from a statement's third execution on.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
import kecoa.extensions
import kecoa.extras
from tests.parity.harness import typed

SETTINGS = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
UTC = dt.timezone.utc
OFFSETS = st.integers(-15 * 3600 + 1, 15 * 3600 - 1).map(lambda s: dt.timezone(dt.timedelta(seconds=s)))
# The server's text has no NUL.
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FINITE | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
TYPES: dict[str, st.SearchStrategy[Any]] = {
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "oid": st.integers(0, 2**32 - 1),
    "float4": st.floats(width=32) | st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    "float8": st.floats(),
    "numeric": st.decimals(allow_infinity=False, places=3) | st.decimals(),
    "bool": st.booleans(),
    "text": WORDS,
    "varchar": WORDS,
    "bytea": st.binary(max_size=40),
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.builds(lambda time, zone: time.replace(tzinfo=zone), st.times(), OFFSETS),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
    "interval": st.timedeltas(),
    "json": JSONS.map(kecoa.extras.Json),
    "jsonb": JSONS.map(kecoa.extras.Json),
    "uuid": st.uuids(),
}


@pytest.fixture
def client(dsn: str) -> Iterator[Any]:
    """A connection by client binding, whose results are text."""
    connection = kecoa.connect(dsn)
    kecoa.extras.register_uuid(conn_or_curs=connection)
    yield connection
    connection.close()


@pytest.fixture
def server(dsn: str) -> Iterator[Any]:
    """A connection by server binding."""
    connection = kecoa.connect(dsn, binding="server")
    kecoa.extras.register_uuid(conn_or_curs=connection)
    yield connection
    connection.close()


def outcome(cursor: Any) -> Any:
    """The rows with their types, or the error."""
    try:
        return typed(cursor.fetchall())
    except Exception as error:
        return type(error).__name__, str(error)


def text_and_binary(connection: Any, expressions: str) -> tuple[Any, Any]:
    """What a row of expressions is in text form, and from a binary cursor."""
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expressions}")
        text = outcome(cursor)
        cursor.execute(f"DECLARE b BINARY CURSOR FOR SELECT {expressions}")
        cursor.execute("FETCH ALL FROM b")
        binary = outcome(cursor)
    connection.rollback()
    return text, binary


def third(connection: Any, query: str, values: Any = None) -> Any:
    """What a statement gives when its columns are known."""
    with connection.cursor() as cursor:
        for _ in range(3):
            cursor.execute(query, values)
        return outcome(cursor)


@pytest.mark.parametrize("name", TYPES)
@SETTINGS
@given(data=st.data())
def test_values_are_the_same_in_both_forms(client: Any, name: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | TYPES[name], min_size=1, max_size=4))
    with client.cursor() as cursor:
        plain = ", ".join(cursor.mogrify(f"(%s)::{name}", (value,)).decode() for value in values)
    listed = f"ARRAY[{plain}]::{name}[]"
    empty = f"'{{}}'::{name}[]"
    nested = f"ARRAY[{listed}, {listed}]"
    text, binary = text_and_binary(client, f"{plain}, {listed}, {nested}, {empty}, NULL::{name}[]")
    assert binary == text


@pytest.mark.parametrize("name", TYPES)
def test_server_binding_gives_what_client_binding_gives(client: Any, server: Any, name: str) -> None:
    # A bare literal cannot be distinguished from one that is not to be merged.
    samples = {
        "bool": "'t', 'f'",
        "bytea": r"'\x00ff', ''",
        "date": "'2024-02-29', '0001-01-01', '9999-12-31'",
        "time": "'00:00', '24:00', '12:34:56.000001'",
        "timetz": "'00:00+0', '24:00-03:30', '12:34:56.000001+05:30:15'",
        "timestamp": "'2024-02-29 23:59:59.999999', '0001-01-01'",
        "timestamptz": "'2024-02-29 23:59:59.999999+02', '0001-01-02'",
        "interval": "'1 year -2 mons 3 days -04:05:06.789', '0', '-1 us'",
        "json": """'{"a": [1, 2.50, null]}', '"x"'""",
        "jsonb": """'{"a": [1, 2.50, null]}', '"x"'""",
        "uuid": "'00112233-4455-6677-8899-aabbccddeeff'",
        "text": "'', 'NULL', '\u00e9\"\\'",
        "varchar": "'', 'NULL', '{a,b}'",
        "float4": "'0.1', '-0', 'NaN', 'Infinity', '1e-45', '3.4028235e38'",
        "float8": "'0.1', '-0', 'NaN', '-Infinity', '5e-324'",
        "numeric": "'1.50', '-0.0001', 'NaN', '1e20', '0.00'",
    }
    values = samples.get(name, "'0', '1', '32767'")
    query = f"""SELECT v::{name}, ARRAY[v::{name}, NULL], '[0:1]={{NULL,NULL}}'::{name}[]
        FROM unnest(ARRAY[{values}, NULL]) v"""
    assert third(server, query) == third(client, query)
    with client.cursor() as one, server.cursor() as two:
        one.execute(query)
        two.execute(query)
        assert repr([c.type_code for c in one.description]) == repr([c.type_code for c in two.description])


@pytest.mark.parametrize(
    "expression",
    [
        "'infinity'::date",
        "'-infinity'::date",
        "'0044-03-15 BC'::date",
        "'10000-01-01'::date",
        "'infinity'::timestamp",
        "'-infinity'::timestamp",
        "'0044-03-15 10:00 BC'::timestamp",
        "'294276-12-31 23:59:59'::timestamp",
        "'infinity'::timestamptz",
        "'-infinity'::timestamptz",
        "'0044-03-15 10:00 BC'::timestamptz",
        "'10000-01-01 00:00'::timestamptz",
        "'0001-01-01 00:00+00'::timestamptz",
        "'infinity'::interval",
        "'178000000 years'::interval",
        "'2147483647 days 24:00'::interval",
        "'2147483647:59:59.999999'::interval",
        "'2562047788:00:54.775807'::interval",
        "'-1 year 1 mon'::interval",
        "'15 mons -1 day +00:00:00.5'::interval",
        "'24:00'::time",
        "'24:00+15:59:59'::timetz",
        "'Infinity'::numeric",
        "'-Infinity'::numeric",
        "1e500::numeric",
        "'-0.0'::numeric",
        "'{}'::jsonb",
        "'[1e400, 1E+2]'::json",
        "'x'::name",
        "'x '::char(4)",
        "ARRAY['infinity'::date]",
        "ARRAY['294276-12-31'::timestamp, NULL]",
        "'[2:3][-1:0]={{1,2},{NULL,4}}'::int[]",
        "'{{{{{{1}}}}}}'::int[]",
        "'{{},{}}'::int[]",
        "(0, 'a')::record",
        "'(1,2)'::point",
        "ARRAY['a b', 'NULL', NULL, '', 'q\"', E'\\\\']",
    ],
)
def test_what_python_has_no_object_for_is_as_in_text_form(client: Any, server: Any, expression: str) -> None:
    assert third(server, f"SELECT {expression}") == third(client, f"SELECT {expression}")
    if "record" not in expression and "point" not in expression:
        text, binary = text_and_binary(client, expression)
        assert binary == text


def test_it_is_asked_for_from_the_third_execution_on(server: Any) -> None:
    # In this form text is no date for anybody, and few digits are left of a float.
    query = "SELECT date '2024-02-29', 0.1::float8 + 0.2::float8, '{0.30000000000000004}'::float8[]"
    with server.cursor() as cursor:
        cursor.execute("SET extra_float_digits = 0")
        cursor.execute("SET DateStyle = 'SQL, DMY'")
        for _ in range(2):
            cursor.execute(query)
            with pytest.raises(kecoa.DataError, match="unable to parse date"):
                cursor.fetchone()
        for _ in range(3):
            cursor.execute(query)
            assert cursor.fetchone() == (dt.date(2024, 2, 29), 0.1 + 0.2, [0.1 + 0.2])


def test_a_float_of_four_bytes_reads_as_its_text(client: Any) -> None:
    with client.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE reals AS SELECT (random() * 10 ^ (g % 70 - 35))::float4 AS a FROM "
            "generate_series(1, 5000) g UNION ALL SELECT (g / 100.0)::float4 FROM "
            "generate_series(1, 5000) g UNION ALL SELECT (2.0 ^ g)::float4 FROM "
            "generate_series(-149, 127) g"
        )
        cursor.execute("SELECT a FROM reals")
        text = cursor.fetchall()
        cursor.execute("DECLARE b BINARY CURSOR FOR SELECT a FROM reals")
        cursor.execute("FETCH ALL FROM b")
        assert cursor.fetchall() == text


@pytest.mark.parametrize("zone", ["UTC", "etc/utc", "GMT", "Asia/Kolkata", "America/New_York", "-03:30"])
def test_an_instant_is_given_in_the_session_s_zone(client: Any, server: Any, zone: str) -> None:
    query = "SELECT '2024-07-01 12:00+00'::timestamptz, ARRAY['1883-01-01 00:00+00'::timestamptz], 1"
    for connection in (client, server):
        with connection.cursor() as cursor:
            cursor.execute("SET TimeZone = %s", (zone,))
    expected = third(client, query)
    assert third(server, query) == expected
    with server.cursor() as cursor:
        # The zone is looked at each time.
        for other, offset in [("Asia/Tokyo", 9), ("UTC", 0), ("Asia/Tokyo", 9)]:
            cursor.execute("SET TimeZone = %s", (other,))
            cursor.execute(query)
            assert cursor.fetchone()[0].utcoffset() == dt.timedelta(hours=offset)


@pytest.mark.parametrize("factory", [None, dt.timezone, lambda offset: dt.timezone(offset, "own")])
def test_the_cursor_s_zones_are_respected(client: Any, server: Any, factory: Any) -> None:
    query = "SELECT '2024-07-01 12:00+00'::timestamptz, 'infinity'::timestamptz, '10:00+02'::timetz"
    rows = []
    for connection in (client, server):
        with connection.cursor() as cursor:
            cursor.tzinfo_factory = factory
            for _ in range(3):
                cursor.execute(query)
            rows.append([(value, value.tzinfo, value.tzname()) for value in cursor.fetchone()])
    assert rows[0] == rows[1]


def shout(value: Any, _cursor: Any) -> Any:
    return None if value is None else ("seen", value)


QUERY = "SELECT 1, 2.5::float8, '2024-02-29'::date, ARRAY[1, NULL], NULL::int"


@pytest.mark.parametrize("scope", ["cursor", "connection", "module"])
def test_a_typecaster_registered_later_gets_its_text(server: Any, scope: str) -> None:
    with server.cursor() as cursor:
        for _ in range(4):
            cursor.execute(QUERY)
        plain = (1, 2.5, dt.date(2024, 2, 29), [1, None], None)
        assert cursor.fetchone() == plain
        where = {"cursor": cursor, "connection": server, "module": None}[scope]
        caster = kecoa.extensions.new_type((23, 701, 1082), "SHOUT", shout)
        kecoa.extensions.register_type(caster, where)
        array = kecoa.extensions.new_array_type((1007,), "SHOUTS", caster)
        kecoa.extensions.register_type(array, where)
        for _ in range(2):
            cursor.execute(QUERY)
            assert cursor.fetchone() == (
                ("seen", "1"),
                ("seen", "2.5"),
                ("seen", "2024-02-29"),
                [("seen", "1"), None],
                None,
            )
    if scope == "cursor":
        with server.cursor() as cursor:
            cursor.execute(QUERY)
            assert cursor.fetchone() == plain


def test_the_dictionary_itself_may_be_changed(server: Any) -> None:
    with server.cursor() as cursor:
        for _ in range(3):
            cursor.execute(QUERY)
        own = kecoa.extensions.new_type((23,), "OWN", shout)
        server.string_types[23] = own
        cursor.execute(QUERY)
        assert cursor.fetchone()[0] == ("seen", "1")
        # Another native typecaster: what it makes of text, it is asked for in text form.
        server.string_types[23] = kecoa.extensions.FLOAT
        server.string_types[701] = kecoa.extensions.UNICODE
        cursor.execute(QUERY)
        assert typed(cursor.fetchone()[:2]) == typed((1.0, "2.5"))
        server.string_types.clear()
        cursor.execute(QUERY)
        assert typed(cursor.fetchone()[:2]) == typed((1, 2.5))


def test_a_function_gets_the_text_of_a_binary_cursor_too(client: Any) -> None:
    for oid in (16, 17, 20, 23, 25, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 114, 3802):
        client.string_types[oid] = kecoa.extensions.new_type((oid,), "SHOUT", shout)
    for oid in (1009, 1007):
        client.string_types[oid] = kecoa.extensions.new_type((oid,), "SHOUT", shout)
    text, binary = text_and_binary(
        client,
        r"""true, '\x00ff'::bytea, 5::int8, NULL::int, 'x'::text, 0.1::float4, 1e100::float8,
        '0044-03-15 BC'::date, '10:00:00.5'::time, '2024-02-29 01:02:03'::timestamp,
        '2024-02-29 01:02:03.000004'::timestamptz, '1 year -3 days'::interval, '10:00+05:30'::timetz,
        -1.50, '00112233-4455-6677-8899-aabbccddeeff'::uuid, '{"a":  1}'::json, '{"a":  1}'::jsonb,
        ARRAY['a b', NULL, 'NULL', ''], '[0:1][1:1]={{1},{NULL}}'::int[]""",
    )
    assert binary == text


def test_types_of_the_database_stay_text(client: Any, server: Any) -> None:
    queries = [
        "SELECT 'one'::binary_mood, ARRAY['one']::binary_mood[], 1",
        "SELECT (1, 'a')::binary_pair, ARRAY[(1, 'a')::binary_pair], 1",
        "SELECT 5::binary_small, ARRAY[5]::binary_small[], 1",
        "SELECT '1.2.3.4'::inet, '(1,2)'::point, 'a'::\"char\", ARRAY['a'::\"char\"], '1 2'::int2vector, 1",
        "SELECT '[1,2]'::int4range, '12'::money, B'101', 'pg_class'::regclass",
    ]
    for connection in (client, server):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TYPE binary_mood AS ENUM ('one', 'two')")
            cursor.execute("CREATE TYPE binary_pair AS (a int, b text)")
            cursor.execute("CREATE DOMAIN binary_small AS int CHECK (value < 10)")
        results = [third(connection, query) for query in queries]
        connection.rollback()
        if connection is client:
            expected = results
    assert results == expected


def test_composites_and_uuids_registered_by_extras(client: Any, server: Any) -> None:
    rows = []
    for connection in (client, server):
        with connection.cursor() as cursor:
            cursor.execute("CREATE TYPE binary_both AS (a int, b date)")
            kecoa.extras.register_composite("binary_both", cursor)
        rows.append(third(connection, "SELECT (1, '2024-02-29')::binary_both, gen_random_uuid() IS NULL"))
        connection.rollback()
    assert rows[0] == rows[1]


def test_uuid_is_text_unless_registered(dsn: str) -> None:
    connection = kecoa.connect(dsn, binding="server")
    query = "SELECT '00112233-4455-6677-8899-aabbccddeeff'::uuid"
    try:
        assert third(connection, query) == typed([("00112233-4455-6677-8899-aabbccddeeff",)])
        kecoa.extras.register_uuid(conn_or_curs=connection)
        value = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")
        assert third(connection, query) == typed([(value,)])
        with connection.cursor() as cursor:
            cursor.execute(query)
            [(found,)] = cursor.fetchall()
            assert (found, hash(found), found.is_safe) == (value, hash(value), uuid.SafeUUID.unknown)
    finally:
        connection.close()


def test_a_statement_whose_columns_change_is_answered_all_the_same(server: Any) -> None:
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE shifting (a int)")
        cursor.execute("INSERT INTO shifting VALUES (7)")
        for _ in range(4):
            cursor.execute("SELECT * FROM shifting")
            assert cursor.fetchall() == [(7,)]
        cursor.execute("ALTER TABLE shifting ALTER a TYPE text, ADD b float8 DEFAULT 1.5")
        for _ in range(4):
            cursor.execute("SELECT * FROM shifting")
            assert cursor.fetchall() == [("7", 1.5)]


def test_other_encodings(dsn: str) -> None:
    connection = kecoa.connect(dsn, binding="server")
    try:
        connection.set_client_encoding("LATIN1")
        query = "SELECT ARRAY['caf\u00e9', NULL], 'caf\u00e9'::text, 1"
        assert third(connection, query) == typed([(["caf\u00e9", None], "caf\u00e9", 1)])
    finally:
        connection.close()


def test_rows_of_both_bindings_in_an_arrow_table(client: Any, server: Any) -> None:
    pa = pytest.importorskip("pyarrow")
    query = """SELECT 1::int2 AS a, 2 AS b, 3::int8 AS c, 0.5::float4 AS d, 0.1::float8 AS e, true AS f,
        'x'::text AS g, '\\x00ff'::bytea AS h, '2024-02-29'::date AS i, '10:00'::time AS j,
        '2024-02-29 01:02:03'::timestamp AS k, '2024-02-29 01:02:03+00'::timestamptz AS l, ARRAY[1, NULL] AS m,
        gen_random_uuid() IS NULL AS n, 1.50::numeric(5, 2) AS o, '10:00+02'::timetz AS p,
        '1 year 2 days 00:00:01'::interval AS q, '00112233-4455-6677-8899-aabbccddeeff'::uuid AS r,
        '{"a":  1}'::jsonb AS s, ARRAY['a', NULL] AS t, NULL::int AS u, 'infinity'::float8 AS v"""
    tables = []
    for connection in (client, server):
        with connection.cursor() as cursor:
            for _ in range(3):
                cursor.execute(query)
            tables.append(pa.table(cursor.fetch_arrow()))
    assert tables[0].equals(tables[1])


def test_decimals_keep_their_exponent(server: Any) -> None:
    [row] = ([decimal.Decimal(text) for text in ("1.50", "0.00", "-1E-20")],)
    with server.cursor() as cursor:
        for _ in range(3):
            cursor.execute("SELECT 1.50, 0.00, -0.00000000000000000001, ARRAY[1.50, 0.00]")
        *found, listed = cursor.fetchone()
    assert [value.as_tuple() for value in found] == [value.as_tuple() for value in row]
    assert [value.as_tuple() for value in listed] == [value.as_tuple() for value in row[:2]]
