"""Each type to the server and back: what comes out is what went in, alone and in arrays."""

from __future__ import annotations

import datetime as dt
import math
import struct
import uuid
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, given, settings, strategies as st

import kecoa
import kecoa.extras

UTC = dt.timezone.utc
text = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60)
offsets = st.integers(-15 * 3600 + 1, 15 * 3600 - 1).map(lambda s: dt.timezone(dt.timedelta(seconds=s)))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), text, st.floats(-1e6, 1e6)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=12,
)

TYPES = {
    "bool": st.booleans(),
    "int2": st.integers(-(2**15), 2**15 - 1),
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "oid": st.integers(0, 2**32 - 1),
    "float4": st.floats(width=32),
    "float8": st.floats(),
    "numeric": st.decimals(allow_infinity=False).filter(lambda d: not d.is_snan() and (d.is_nan() or (abs(d.adjusted()) < 1000 and d.as_tuple().exponent > -1000))),
    "text": text,
    "varchar": text,
    "bytea": st.binary(max_size=200),
    "date": st.dates(),
    "time": st.times(),
    "timetz": st.times(timezones=offsets),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1), timezones=st.just(UTC)),
    "interval": st.timedeltas(dt.timedelta(days=-99999999), dt.timedelta(days=99999999)),
    "uuid": st.uuids(),
}  # fmt: skip


@pytest.fixture(scope="module")
def cur(dsn):
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    kecoa.extras.register_uuid(conn_or_curs=conn)
    yield cur
    conn.close()


def single(value):
    """Values with their floats as float4 has them: PostgreSQL prints the fewest digits that distinguish them."""
    if isinstance(value, list):
        return [single(item) for item in value]
    return struct.unpack("f", struct.pack("f", value))[0] if isinstance(value, float) else value


def same(one, two):
    """Equality in which NaN equals itself and types count."""
    if isinstance(one, list):
        return isinstance(two, list) and len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, memoryview):
        one = bytes(one)
    if type(one) is not type(two):
        return False
    if isinstance(one, (float, Decimal)):
        if math.isnan(one):
            return math.isnan(two)
        return one == two and str(one) == str(two) if isinstance(one, Decimal) else one == two
    return one == two


def plain(value):
    """What a decimal looks like on the server: without an exponent, and without a negative zero."""
    if isinstance(value, Decimal) and not value.is_nan():
        value = Decimal(format(value, "f"))
        return -value if value == 0 and value.is_signed() else value
    return value


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", TYPES)
def test_a_value(cur, kind):
    @quick
    @given(TYPES[kind])
    def check(value):
        value = plain(value)
        cur.execute(f"SELECT CAST(%s AS {kind})", (value,))
        got = cur.fetchone()[0]
        assert same(single(got) if kind == "float4" else got, value)

    check()


@pytest.mark.parametrize("kind", TYPES)
def test_an_array(cur, kind):
    @quick
    @given(st.lists(st.one_of(st.none(), TYPES[kind]), max_size=6))
    def check(values):
        values = [plain(value) for value in values]
        cur.execute(f"SELECT %s::{kind}[]", (values,))
        got = cur.fetchone()[0]
        assert same(single(got) if kind == "float4" else got, values)

    check()


@pytest.mark.parametrize("kind", TYPES)
def test_an_array_of_arrays(cur, kind):
    @quick
    @given(
        st.integers(1, 3).flatmap(
            lambda n: st.lists(st.lists(TYPES[kind], min_size=n, max_size=n), min_size=1, max_size=3)
        )
    )
    def check(values):
        values = [[plain(value) for value in inner] for inner in values]
        cur.execute(f"SELECT %s::{kind}[]", (values,))
        got = cur.fetchone()[0]
        assert same(single(got) if kind == "float4" else got, values)

    check()


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_json(cur, kind):
    @quick
    @given(json_values)
    def check(value):
        assume("\\u0000" not in repr(value))
        cur.execute(f"SELECT %s::{kind}, ARRAY[%s::{kind}, NULL]", (kecoa.extras.Json(value),) * 2)
        assert cur.fetchone() == (value, [value, None])

    check()


@pytest.mark.parametrize("kind", TYPES)
def test_null(cur, kind):
    cur.execute(f"SELECT NULL::{kind}, NULL::{kind}[], ARRAY[NULL::{kind}]")
    assert cur.fetchone() == (None, None, [None])


def test_a_statement_of_many_types_at_once(cur):
    row = (True, 1, 2**40, 1.5, Decimal("1.50"), "t\u00e9xt", b"\0\xff", dt.date(2024, 2, 29), dt.time(1, 2, 3, 4),
           dt.datetime(2024, 2, 29, 1, 2, 3), dt.timedelta(days=-1, seconds=5), uuid.UUID(int=7), None)  # fmt: skip
    cur.execute("SELECT " + ", ".join(["%s"] * len(row)), row)
    got = list(cur.fetchone())
    got[6] = bytes(got[6])
    assert tuple(got) == row


def test_a_large_value(cur):
    big = "x" * 20_000_000
    cur.execute("SELECT %s, length(%s)", (big, big))
    assert cur.fetchone() == (big, 20_000_000)


def test_many_columns(cur):
    cur.execute("SELECT " + ", ".join(map(str, range(1600))))
    assert cur.fetchone() == tuple(range(1600))


def test_ranges_of_values_that_python_cannot_hold(cur):
    for text_, kind in [("infinity", "date"), ("10000-01-01", "timestamp"), ("0044-03-15 BC", "date")]:
        cur.execute(f"SELECT '{text_}'::{kind}::text")
        assert cur.fetchone()[0] == (text_ if text_ != "10000-01-01" else "10000-01-01 00:00:00")
