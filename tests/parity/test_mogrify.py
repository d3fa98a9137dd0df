"""Adaptation of generated values, byte for byte: everything that both drivers adapt, nested and subclassed."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import uuid
from collections import OrderedDict, namedtuple

import psycopg2
import psycopg2.sql
import pytest
from hypothesis import HealthCheck, assume, example, given, settings, strategies as st

import kecoa
import kecoa.sql

D = decimal.Decimal


class Number(int):
    def __repr__(self):
        return "a number"

    def __str__(self):
        return "not its digits"


class Word(str):
    __slots__ = ()

    def __str__(self):
        return "another word"


class Many(list):
    pass


class Fraction(float):
    pass


class Stamp(dt.datetime):
    pass


class Day(dt.date):
    pass


class Amount(D):
    pass


class Level(enum.IntEnum):
    LOW = 1


class Kind(str, enum.Enum):
    OTHER = "o'ther"


class Blob(bytes):
    pass


class Summer(dt.tzinfo):
    def utcoffset(self, when):
        return dt.timedelta(hours=2 if when is not None and 3 < when.month < 10 else 1)


class Nowhere(dt.tzinfo):
    def utcoffset(self, _when):
        return None


Pair = namedtuple("Pair", "left right")  # noqa: PYI024

zones = st.one_of(
    st.just(dt.timezone.utc),
    st.timedeltas(min_value=dt.timedelta(hours=-23), max_value=dt.timedelta(hours=23)).map(dt.timezone),
    st.integers(-23 * 60, 23 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))),
    st.sampled_from([Summer(), Nowhere()]),
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers().map(Number),
    st.just(Level.LOW),
    st.floats(),
    st.floats().map(Fraction),
    st.decimals(),
    st.decimals(allow_nan=False).map(Amount),
    st.sampled_from(
        [D("NaN"), D("-NaN"), D("sNaN"), D("Infinity"), D("-Infinity"), D("1E+1000"), D("-0E-7")]
    ),
    texts,
    texts.map(Word),
    st.just(Kind.OTHER),
    st.binary(max_size=30),
    st.binary(max_size=30).map(bytearray),
    st.binary(max_size=30).map(memoryview),
    st.binary(max_size=30).map(Blob),
    st.dates(),
    st.dates().map(lambda day: Day(day.year, day.month, day.day)),
    st.times(),
    st.times(timezones=zones),
    st.datetimes(),
    st.datetimes(timezones=zones),
    st.datetimes().map(lambda at: Stamp(at.year, at.month, at.day, at.hour)),
    st.timedeltas(),
)
nested = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.lists(inner, max_size=4).map(Many),
        st.tuples(inner, inner).map(lambda pair: Pair(*pair)),
    ),
    max_leaves=10,
)
generated = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings_of_a_few = settings(generated, max_examples=50)


@generated
@given(value=nested)
@example(value=Number(5))
@example(value=[Word("a'b"), None])
@example(value=[[D("NaN")], [D("1")]])
@example(value=[memoryview(b"a"), bytearray(b"'")])
def test_a_value(same, value):
    same(lambda module, conn, cur: cur.mogrify("SELECT %s, %s", (value, [value])))


@settings_of_a_few
@given(values=st.dictionaries(st.sampled_from(["a", "b c", "d(e", "\u00e9"]), nested, min_size=1))
def test_named_arguments(same, values):
    query = ", ".join(f"%({name})s %%" for name in values)
    same(lambda module, conn, cur: cur.mogrify(query, values))


@settings_of_a_few
@given(
    low=st.one_of(st.none(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False)),
    high=st.one_of(st.none(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False)),
    bounds=st.sampled_from(["[]", "[)", "(]", "()"]),
    empty=st.booleans(),
)
def test_number_ranges(same, low, high, bounds, empty):
    def action(module, conn, cur):
        value = module.extras.NumericRange(low, high, bounds, empty)
        return cur.mogrify("%s %s", (value, [value]))

    same(action)


@settings_of_a_few
@given(
    name=st.sampled_from(["DateRange", "DateTimeRange", "DateTimeTZRange"]),
    data=st.data(),
    bounds=st.sampled_from(["[]", "[)", "(]", "()"]),
)
def test_ranges_of_time(same, name, data, bounds):
    kinds = {
        "DateRange": st.dates(),
        "DateTimeRange": st.datetimes(),
        "DateTimeTZRange": st.datetimes(timezones=zones),
    }
    low, high = (data.draw(st.one_of(st.none(), kinds[name])) for _ in range(2))
    same(lambda module, conn, cur: cur.mogrify("%s", (getattr(module.extras, name)(low, high, bounds),)))


json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@settings_of_a_few
@given(value=json)
def test_json(same, value):
    def action(module, conn, cur):
        return cur.mogrify("%s, %s", (module.extras.Json(value), [module.extras.Json(value)]))

    same(action)


@settings_of_a_few
@given(value=st.dictionaries(texts, st.one_of(st.none(), texts), max_size=5))
def test_hstore(same, value):
    def action(module, conn, cur):
        return cur.mogrify("%s", (module.extras.HstoreAdapter(OrderedDict(value)),))

    same(action)


@settings_of_a_few
@given(
    value=st.one_of(
        st.uuids(),
        st.ip_addresses(),
        st.ip_addresses().map(ipaddress.ip_interface),
        st.ip_addresses(v=4).map(ipaddress.ip_network),
    )
)
def test_registered_types(same, value):
    def action(module, conn, cur):
        module.extras.register_uuid()
        module.extras.register_ipaddress()
        return cur.mogrify("%s, %s", (value, [value, value]))

    same(action)


names = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=12)


@settings_of_a_few
@given(tables=st.lists(names, min_size=1, max_size=3), columns=st.lists(names, max_size=4), value=nested)
def test_composed_sql(same, tables, columns, value):
    def action(module, conn, cur):
        sql = module.sql
        query = sql.SQL("SELECT {} FROM {table} WHERE {{{{}}}} = {value} AND %s OR {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL("x"),
            table=sql.Identifier(*tables),
            value=sql.Literal(value),
        )
        composed = query + sql.SQL(" LIMIT ") + sql.Placeholder() + sql.SQL(" ") + sql.Placeholder("x") * 2
        return query.as_string(conn), composed.as_string(cur), repr(composed).replace("psycopg2", "kecoa")

    same(action)


@settings_of_a_few
@given(value=texts, encoding=st.sampled_from(["utf8", "latin1", "euc_jp", "koi8r", "sjis", "sql_ascii"]))
def test_a_string_in_an_encoding(same, value, encoding):
    """Without a connection, psycopg2 escapes in the encoding of the last one that was made: here UTF-8."""
    assume(encoding == "utf8" or value.isascii())

    def action(module, conn, cur):
        quoted = module.extensions.QuotedString(value)
        before = quoted.encoding
        quoted.encoding = module.extensions.encodings[encoding.upper()]
        return before, quoted.encoding, quoted.getquoted()

    same(action)


def test_a_string_in_another_encoding_than_the_last_connections(parity_connections):
    """psycopg2's bytes are not the string's: libpq takes them for broken UTF-8."""
    made = []
    for module in (psycopg2, kecoa):
        quoted = module.extensions.QuotedString("\xe9t\xe9")
        quoted.encoding = "latin1"
        made.append(quoted.getquoted())
    assert made[1] == b"'\xe9t\xe9'"
    assert made[0] != made[1]


@settings_of_a_few
@given(value=nested)
@example(value=None)
@example(value=Word("itself"))
@example(value=Word(""))
@example(value=Kind.OTHER)
@example(value=Level.LOW)
@example(value=Number(5))
@example(value=b"\x80")
@example(value=b"\xe2\x82a\xff'\xf0\x9f")
def test_adapters_by_hand(same, value):
    """Wrapped in each adapter: what it makes, or which exception it raises."""

    def action(module, conn, cur):
        made = []
        for name in ("AsIs", "Binary", "Boolean", "Float", "Int", "QuotedString"):
            if name == "Float" and type(value) not in (bool, int, float):
                continue  # psycopg2 sends the repr, or leaves a TypeError to whoever comes next
            try:
                adapter = getattr(module.extensions, name)(value)
                if hasattr(adapter, "prepare"):
                    adapter.prepare(conn)
                made.append((name, adapter.getquoted(), adapter.adapted is value))
            except Exception as refused:
                made.append((name, [kind.__name__ for kind in type(refused).__mro__]))
        return made

    same(action)


@pytest.mark.parametrize(
    "item", [object(), 1j, {1}, frozenset(), range(3), iter([1]), {"a": 1}, Ellipsis, int]
)
def test_what_cannot_be_adapted(same, item):
    def action(module, conn, cur):
        seen = []
        for value in (item, [item], (item,), [[item]]):
            try:
                seen.append(cur.mogrify("%s", (value,)))
            except module.ProgrammingError as refused:
                # Ours go on with what would adapt it, where that is known.
                seen.append(str(refused).partition(": found the ")[0])
        return seen

    same(action)


@pytest.mark.parametrize("way", ["conform", "adapt", "adapter", "base", "registered subclass"])
def test_ones_own_types(same, way):
    """PEP 246's ways, and their order."""

    def action(module, conn, cur):
        protocol = module.extensions.ISQLQuote

        class Quoted:
            def __init__(self, text):
                self.text = text

            def getquoted(self):
                return self.text.encode()

        class Own:
            if way == "conform":

                def __conform__(self, proto):
                    return Quoted("'conform'") if proto is protocol else None

        class Derived(Own):
            pass

        if way in ("adapter", "base"):
            module.extensions.register_adapter(Own, lambda value: Quoted("'adapter'"))
        if way == "registered subclass":
            module.extensions.register_adapter(Derived, lambda value: Quoted("'derived'"))
        value = Derived() if way in ("base", "registered subclass") else Own()
        return cur.mogrify("%s, %s", (value, [value]))

    same(action)


def test_uuids_without_registration(parity_connections):
    theirs, ours = parity_connections
    value = uuid.UUID(int=1)
    with pytest.raises(psycopg2.ProgrammingError, match="can't adapt type 'UUID'"):
        theirs.cursor().mogrify("%s", (value,))
    assert ours.cursor().mogrify("%s %s", (value, [value])) == (
        b"'00000000-0000-0000-0000-000000000001'::uuid ARRAY['00000000-0000-0000-0000-000000000001'::uuid]"
    )
    assert not any(key[0] is uuid.UUID for key in kecoa.extensions.adapters)
