"""Values that psycopg2 sends or reads as others, and what kecoa does about them."""

from __future__ import annotations

import subprocess
import sys

import numpy
import psycopg2
import pytest

import kecoa

DRIVERS = (psycopg2, kecoa)


def answers(dsn, encoding, standard, ask):
    """What `ask(module, cursor)` gives, or raises, on both drivers."""
    found = []
    for module in DRIVERS:
        conn = module.connect(dsn)
        conn.set_client_encoding(encoding)
        cur = conn.cursor()
        cur.execute(f"SET standard_conforming_strings = {standard}; SET escape_string_warning = off")
        try:
            found.append(ask(module, cur))
        except Exception as raised:
            found.append(raised)
        conn.close()
    return found


def test_a_backslash_of_two_bytes(dsn):
    """Python's codec writes it so, libpq does not know it, the server does: it escapes what follows."""

    def ask(module, cur):
        cur.execute("SELECT %s", ("a\\b",))
        return cur.fetchone()[0]

    theirs, ours = answers(dsn, "SHIFT_JIS_2004", "off", ask)
    assert ours == "a\\b"
    assert theirs == "a\x08"


def test_a_yen_sign(dsn):
    def ask(module, cur):
        cur.execute("SELECT %s", ("\xa5",))
        return cur.fetchone()[0]

    theirs, ours = answers(dsn, "EUC_JP", "on", ask)
    assert theirs == "\\"
    assert isinstance(ours, UnicodeEncodeError)


def test_text_that_a_typecaster_passes_on(dsn):
    """Parts of ranges and composite values are text already when they are cast."""
    theirs, ours = answers(dsn, "LATIN1", "on", lambda module, cur: cur.cast(25, "\xe9"))
    assert (theirs, ours) == ("\xc3\xa9", "\xe9")


class Reading(float):
    def __repr__(self):
        return "a reading"


@pytest.mark.parametrize("value", [Reading(1.5), numpy.float64(1.5)])
def test_numbers_by_their_repr(parity_connections, value):
    theirs, ours = (conn.cursor().mogrify("%s %s", (value, [value])) for conn in parity_connections)
    assert ours == b"1.5 ARRAY[1.5]"
    assert theirs == f"{value!r} ARRAY[{value!r}]".encode()


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (numpy.int64(-5), b" -5"),
        (numpy.uint8(5), b"5"),
        (numpy.float32(0.5), b"0.5"),
        (numpy.float16("nan"), b"'NaN'::float"),
        (numpy.bool_(True), b"true"),
        (numpy.datetime64("2024-01-02"), b"'2024-01-02'::date"),
        (numpy.datetime64("2024-01-02T03:04"), b"'2024-01-02 03:04:00'::timestamp"),
        (numpy.datetime64("NaT"), b"NULL"),
        (numpy.timedelta64(-1, "s"), b"'-1 days 86399 seconds'::interval"),
    ],
)
def test_scalars_of_numpy(parity_connections, value, sent):
    theirs, ours = (conn.cursor() for conn in parity_connections)
    with pytest.raises(psycopg2.ProgrammingError, match="can't adapt type 'numpy"):
        theirs.mogrify("%s", (value,))
    assert ours.mogrify("%s", (value,)) == sent


def test_what_would_adapt_it(parity_connections):
    theirs, ours = (conn.cursor() for conn in parity_connections)
    with pytest.raises(psycopg2.ProgrammingError) as short:
        theirs.mogrify("%s", ({},))
    with pytest.raises(kecoa.ProgrammingError) as long:
        ours.mogrify("%s", ({},))
    assert str(long.value).startswith(f"{short.value}: ")
    assert "register_hstore" in str(long.value)


@pytest.mark.parametrize(
    ("query", "values", "numbers"),
    [
        ("%s", (), "1 placeholder, and 0 values"),
        ("%s %% %s", [1], "2 placeholders, and 1 value"),
        ("%s", (1, 2), "1 placeholder, and 2 values"),
    ],
)
def test_numbers_of_values(parity_connections, query, values, numbers):
    """The class stays, and so do psycopg2's words at the beginning."""
    raised = []
    for conn in parity_connections:
        with pytest.raises((IndexError, TypeError)) as refused:
            conn.cursor().mogrify(query, values)
        raised.append(refused)
    short, long = raised
    assert long.type is short.type
    assert str(long.value).startswith(f"{short.value}: ")
    assert numbers in str(long.value)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("SELECT 'a' LIKE 'a%' AND %s", (True,)),
        ("SELECT 100 % 7, %s", (True,)),
        ("SELECT '%s%'", ["a"]),
    ],
)
def test_a_percent_sign_that_is_no_placeholder(parity_connections, query, values):
    """psycopg2's words, and how it is written."""
    raised = []
    for conn in parity_connections:
        with pytest.raises(IndexError) as refused:
            conn.cursor().mogrify(query, values)
        raised.append(refused)
    short, long = raised
    assert str(long.value).startswith(f"{short.value}: ")
    assert "a percent sign in the statement is written %%" in str(long.value)
    with pytest.raises(IndexError) as refused:
        conn.cursor().mogrify("SELECT %s, %s", (1,))
    assert "%%" not in str(refused.value)


USING = """
import sys
import {module}
import {module}.extensions
driver = {module}
cur = driver.connect(sys.argv[1]).cursor()
def cast(value, cur):
    if value == "2":
        cur.execute("SELECT 'other' FROM generate_series(1, 9)")
    return value
driver.extensions.register_type(driver.extensions.new_type((25,), "USING", cast), cur)
cur.execute("SELECT n::text, n::text FROM generate_series(1, 4) n")
try:
    print(cur.fetchall())
except driver.ProgrammingError as refused:
    print(str(refused).partition(":")[0])
"""


def test_a_typecaster_that_uses_its_cursor(dsn):
    done = [
        subprocess.run(
            [sys.executable, "-c", USING.format(module=module), dsn],
            capture_output=True,
            text=True,
            check=False,
        )
        for module in ("psycopg2", "kecoa")
    ]
    assert done[1].stdout == "the cursor was used while its rows were converted\n"
    # The memory that it reads is freed.
    assert done[0].returncode != 0 or done[0].stdout != "[('1', '1'), ('2', '2'), ('3', '3'), ('4', '4')]\n"


def test_infinite_decimals(parity_connections):
    """The drop-in keeps psycopg2's NaN, which its own tests ask for; server binding sends what was given."""
    import decimal

    theirs, ours = (conn.cursor() for conn in parity_connections)
    value = decimal.Decimal("-Infinity")
    assert ours.mogrify("%s", (value,)) == theirs.mogrify("%s", (value,)) == b"'NaN'::numeric"
    ours.execute("SELECT %s, %s", (value, [value]), binding="server")
    assert ours.fetchone() == (value, [value])
    ours.connection.rollback()
