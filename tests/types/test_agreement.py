"""10,000 values of each type from the server: the same objects whichever way they come.

Client binding brings text, server binding what it brings in binary form; both must make the same objects.
KECOA_TEST_SEED (a number) chooses other values.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import struct
import uuid

import pytest

import kecoa
import kecoa.extras
import kecoa.types
from tests.parity.harness import typed

COUNT = 10_000
#: As many of them in arrays, of 5 elements each.
ARRAYS = 1_000
SEED = int(os.environ.get("KECOA_TEST_SEED", "5"))
WORDS = [
    "",
    "NULL",
    "null",
    '"',
    "\\",
    "{",
    "}",
    ",",
    "'",
    " ",
    "\n",
    "\t",
    "a",
    "\u00e9",
    "\u4e2d",
    "\U0001f697",
]


def integer(bits):
    edges = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    return lambda r: str(r.choice(edges) if r.random() < 0.1 else r.getrandbits(r.randint(1, bits)) - 2 ** (bits - 1) if r.random() < 0.2 else r.randint(-999, 999))  # fmt: skip


def real(code, size):
    def value(r):
        kind = r.randrange(5)
        if kind == 0:
            return repr(struct.unpack(code, r.randbytes(size))[0])
        if kind == 1:
            return r.choice(
                ["NaN", "Infinity", "-Infinity", "-0", "0", "1e23", "5e-324" if size == 8 else "1e-45"]
            )
        if kind == 2:
            # Whole numbers, whose shortest digits may lie between two floats.
            return str(r.getrandbits(r.randint(20, 100)))
        return repr(r.randint(-(10**6), 10**6) / 10 ** r.randint(0, 8))

    return value


def number(r):
    kind = r.randrange(4)
    if kind == 0:
        return r.choice(["NaN", "Infinity", "-Infinity", "0", "0.00", "-0.001", "1" + "0" * 40])
    return f"{r.randint(-(10 ** r.randint(1, 40)), 10 ** r.randint(1, 40))}.{r.getrandbits(r.randint(1, 90))}"


def words(r):
    return "".join(r.choice(WORDS) for _ in range(r.randrange(6)))


def date(r):
    edges = ["0001-01-01", "9999-12-31", "infinity", "-infinity", "2000-02-29", "1999-12-31"]
    return r.choice(edges) if r.random() < 0.1 else dt.date.fromordinal(r.randint(1, 3652059)).isoformat()


def time(r):
    if r.random() < 0.1:
        return r.choice(["00:00:00", "24:00:00", "23:59:59.999999", "00:00:00.000001"])
    return f"{r.randrange(24):02}:{r.randrange(60):02}:{r.randrange(60):02}.{r.randrange(10**6):06}"


def offset(r):
    hours, rest = r.randint(-15, 15), r.choice([":00", ":30", ":15:30", ":59:59"])
    return f"{hours:+03}{rest}" if hours else "+00:00"


def timestamp(r):
    day = date(r)
    return day if "inf" in day else f"{day} {time(r).replace('24:00:00', '23:00:00')}"


def instant(r):
    at = timestamp(r)
    return at if "inf" in at else f"{at}+00"


def interval(r):
    return (
        f"{r.randint(-9999, 9999)} months {r.randint(-99999, 99999)} days"
        f" {r.choice(['-', '+'])}{r.randrange(99999)}:{r.randrange(60)}:{r.randrange(60)}.{r.randrange(10**6):06}"
    )


def address(r):
    if r.random() < 0.5:
        return (
            f"{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(256)}/{r.randint(0, 32)}"
        )
    return ":".join(f"{r.choice([0, 0, r.getrandbits(16)]):x}" for _ in range(8)) + f"/{r.randint(0, 128)}"


def document(r):
    return json.dumps(r.choice([None, True, r.randint(-99, 99), words(r), {words(r): [1, None, words(r)]}]))


def span(make, key=lambda text: text):
    def value(r):
        low, high = sorted((make(r), make(r)), key=key)
        kind = r.randrange(8)
        return ["empty", f"[{low},)", f"(,{high}]"][kind] if kind < 3 else f"[{low},{high})"

    return value


def spans(make):
    return lambda r: "{" + ",".join(make(r) for _ in range(r.randrange(4))) + "}"


def finite_date(r):
    return dt.date.fromordinal(r.randint(1, 3652058)).isoformat()


def finite_timestamp(r):
    return f'"{finite_date(r)} {time(r).replace("24:00:00", "23:00:00")}"'


def composite(r):
    text = words(r).replace("\\", "\\\\").replace('"', '""')
    return f'({r.randint(-9, 9)},"{text}")'


def store(r):
    def quote(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return ", ".join(
        f"{quote(words(r))}=>{r.choice(['NULL', quote(words(r))])}" for _ in range(r.randrange(4))
    )


small = integer(16)
whole = span(lambda r: str(r.randint(-999, 999)), int)
TYPES = {
    "bool": lambda r: r.choice("tf"),
    "int2": small,
    "int4": integer(32),
    "int8": integer(64),
    "oid": lambda r: str(r.getrandbits(32)),
    "float4": real("f", 4),
    "float8": real("d", 8),
    "numeric": number,
    "text": words,
    "varchar": words,
    "bpchar": words,
    "name": lambda r: words(r)[:15],
    '"char"': lambda r: r.choice(["", "a", "\\200", "\\377", "\\"]),
    "bytea": lambda r: "\\x" + r.randbytes(r.randrange(30)).hex(),
    "date": date,
    "time": time,
    "timetz": lambda r: time(r) + offset(r),
    "timestamp": timestamp,
    "timestamptz": instant,
    "interval": interval,
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "json": document,
    "jsonb": document,
    "inet": address,
    "macaddr": lambda r: r.randbytes(6).hex(":"),
    "macaddr8": lambda r: r.randbytes(8).hex(":"),
    "varbit": lambda r: "".join(r.choice("01") for _ in range(r.randrange(40))),
    "money": lambda r: str(r.randint(-(10**9), 10**9) / 100),
    "point": lambda r: f"({r.randint(-99, 99) / 8},{r.random()!r})",
    "pg_lsn": lambda r: f"{r.getrandbits(32):X}/{r.getrandbits(32):X}",
    "int4range": whole,
    "int8range": whole,
    "numrange": whole,
    "daterange": span(finite_date),
    "tsrange": span(finite_timestamp),
    "int4multirange": spans(whole),
    "datemultirange": spans(span(finite_date)),
    "agreement_mood": lambda r: r.choice(["sad", "so, so"]),
    "agreement_pair": composite,
    "hstore": store,
}  # fmt: skip


@pytest.fixture(scope="module")
def cursors(dsn):
    """One of each binding, on connections that know all types."""
    setup = kecoa.connect(dsn)
    setup.autocommit = True
    cur = setup.cursor()
    cur.execute("CREATE EXTENSION IF NOT EXISTS hstore")
    cur.execute("CREATE TYPE agreement_mood AS ENUM ('sad', 'so, so')")
    cur.execute("CREATE TYPE agreement_pair AS (n int4, t text)")
    connections = [setup, kecoa.connect(dsn, binding="server")]
    members = None
    for conn in connections:
        conn.autocommit = True
        # The parts of this module only: adapters are one set a process.
        kecoa.extras.register_uuid(conn_or_curs=conn)
        kecoa.types.register_multiranges(conn)
        members = kecoa.types.register_enum("agreement_mood", conn, members)
        kecoa.extras.register_composite("agreement_pair", conn)
        kecoa.types.register_loader("hstore", lambda text: text, scope=conn)
    yield [conn.cursor() for conn in connections]
    cur.execute("DROP TYPE agreement_mood, agreement_pair")
    for conn in connections:
        conn.close()


@pytest.mark.parametrize("kind", TYPES)
def test_both_bindings_make_the_same_objects(cursors, kind):
    chance = random.Random(f"{SEED} {kind}")
    texts = [TYPES[kind](chance) for _ in range(COUNT)]
    arrays = f"SELECT array_agg(v ORDER BY i) FROM (SELECT i, v::{kind} AS v, i %% 200 AS g FROM unnest(%s::text[]) WITH ORDINALITY AS t(v, i)) s GROUP BY g ORDER BY g"  # fmt: skip
    by_value, by_array = [], []
    values = f"SELECT v::{kind} FROM unnest(%s::text[]) AS v"
    for cur in cursors:
        for sql in (values, arrays) * 2:
            # What is known of a statement at its third use is asked for in binary form.
            cur.execute(sql, (texts[:2],))
        cur.execute(values, (texts,))
        by_value.append([row[0] for row in cur.fetchall()])
        cur.execute(arrays, (texts[:ARRAYS],))
        by_array.append(cur.fetchall())
    text, binary = by_value
    assert len(text) == COUNT
    differences = [(t, typed(a), typed(b)) for t, a, b in zip(texts, text, binary, strict=True) if a != b]
    # What differs from itself (NaN), and what is equal but not the same (0 and -0, 1.0 and 1.00).
    same = [repr(value) if not isinstance(value, memoryview) else bytes(value) for value in text]
    again = [repr(value) if not isinstance(value, memoryview) else bytes(value) for value in binary]
    assert same == again, (SEED, differences[:3])
    assert {type(value).__name__ for value in text} == {type(value).__name__ for value in binary}
    assert typed(by_array[0]) == typed(by_array[1]), SEED
