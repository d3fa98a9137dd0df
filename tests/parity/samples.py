"""Values of every PostgreSQL type as literals, generated: the same ones in every run."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

Maker = Callable[[random.Random], str]

LETTERS = string.ascii_letters + string.digits + " '\"\\,{}()[]<>=;:%_-\t\n\u00e9\u0441\u4e2d\U0001f697"


def text(rng: random.Random, longest: int = 12) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(longest + 1)))


def integer(bits: int) -> Maker:
    def make(rng: random.Random) -> str:
        width = rng.randrange(1, bits)
        return str(rng.choice((1, -1)) * rng.randrange(1 << (width - 1), 1 << width))

    return make


def number(rng: random.Random) -> str:
    digits = "".join(rng.choice(string.digits) for _ in range(rng.randrange(1, 40)))
    point = rng.randrange(len(digits) + 1)
    return f"{rng.choice(('', '-'))}{digits[:point] or 0}{rng.choice(('.', '.000'))}{digits[point:] or 0}"


def real(largest: int) -> Maker:
    def make(rng: random.Random) -> str:
        return repr(rng.choice((1, -1)) * rng.random() * 10.0 ** rng.randrange(-largest, largest))

    return make


def date(rng: random.Random, first: int = 1, last: int = 9999) -> str:
    return f"{rng.randrange(first, last + 1):04}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


def time(rng: random.Random) -> str:
    fraction = rng.choice(("", f".{rng.randrange(1, 1000000):06}", f".{rng.randrange(1, 10)}"))
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}{fraction}"


def zone(rng: random.Random) -> str:
    sign, hours, minutes = rng.choice("+-"), rng.randrange(15), rng.choice((0, 0, 30, 45))
    return f"{sign}{hours:02}:{minutes:02}" + rng.choice(("", "", f":{rng.randrange(60):02}"))


def interval(rng: random.Random) -> str:
    parts = []
    for unit, largest in (
        ("year", 3000),
        ("mon", 24),
        ("day", 90000),
        ("hour", 90000),
        ("microsecond", 10**9),
    ):
        if rng.random() < 0.6:
            parts.append(f"{rng.randrange(-largest, largest)} {unit}")
    return " ".join(parts) or "0"


def json(rng: random.Random, depth: int = 3) -> str:
    kind = rng.randrange(7 if depth else 5)
    if kind == 5:
        return "[" + ", ".join(json(rng, depth - 1) for _ in range(rng.randrange(4))) + "]"
    if kind == 6:
        pairs = (f'"{rng.choice("abc")}{i}": {json(rng, depth - 1)}' for i in range(rng.randrange(4)))
        return "{" + ", ".join(pairs) + "}"
    return [
        lambda: "null",
        lambda: rng.choice(("true", "false")),
        lambda: str(rng.randrange(-(10**20), 10**20)),
        lambda: repr(rng.random() * 10.0 ** rng.randrange(-300, 300)),
        lambda: rng.choice(('""', '"a\\n\\u00e9\\"b"', '"\u4e2d"', '"\\ud83d\\ude97"')),
    ][kind]()


def hexadecimal(length: int) -> Maker:
    return lambda rng: "".join(rng.choice("0123456789abcdef") for _ in range(length))


def v4(rng: random.Random) -> str:
    return ".".join(str(rng.randrange(256)) for _ in range(4))


def v6(rng: random.Random) -> str:
    return ":".join(f"{rng.randrange(65536):x}" for _ in range(8))


def bits(rng: random.Random) -> str:
    return "".join(rng.choice("01") for _ in range(rng.randrange(1, 70)))


def pair(rng: random.Random) -> str:
    return f"({rng.uniform(-1e6, 1e6):.6g},{rng.uniform(-1e-6, 1e6):.6g})"


def ordered(make: Callable[[random.Random], object], empty: bool = True) -> Maker:
    def range_of(rng: random.Random) -> str:
        if empty and rng.random() < 0.1:
            return "empty"
        low, high = sorted((make(rng), make(rng)), key=lambda value: (len(str(value)), str(value)))
        if isinstance(low, int):
            low, high = min(low, high), max(low, high)
        return (
            rng.choice("[(")
            + rng.choice((f"{low}", f"{low}", ""))
            + ","
            + rng.choice((f"{high}", f"{high}", ""))
            + rng.choice("])")
        )

    return range_of


def small(rng: random.Random) -> int:
    return rng.randrange(-1000, 1000)


TYPES: dict[str, Maker] = {
    "int2": integer(16),
    "int4": integer(32),
    "int8": integer(64),
    "oid": lambda rng: str(rng.randrange(1 << 32)),
    "float4": real(30),
    "float8": real(300),
    "numeric": number,
    "numeric(20,5)": lambda rng: f"{rng.uniform(-1e12, 1e12):.7f}",
    "money": lambda rng: f"{rng.uniform(-1e6, 1e6):.2f}",
    "bool": lambda rng: rng.choice(("t", "false", "yes", "off", "1", "0")),
    "text": text,
    "varchar(6)": lambda rng: text(rng, 6),
    "char(6)": lambda rng: text(rng, 6),
    "name": text,
    "bytea": lambda rng: "\\x" + hexadecimal(2 * rng.randrange(20))(rng),
    "date": date,
    "time": time,
    "time(2)": time,
    "timetz": lambda rng: time(rng) + zone(rng),
    "timestamp": lambda rng: f"{date(rng)} {time(rng)}",
    "timestamp(0)": lambda rng: f"{date(rng, last=9998)} {time(rng)}",
    # Whatever the time zone, the year stays one that Python has.
    "timestamptz": lambda rng: f"{date(rng, 2, 9998)} {time(rng)}{zone(rng)}",
    "interval": interval,
    "interval day to second": interval,
    "uuid": hexadecimal(32),
    "json": json,
    "jsonb": json,
    "inet": lambda rng: rng.choice((v4(rng), v6(rng), f"{v4(rng)}/{rng.randrange(33)}")),
    "cidr": lambda rng: rng.choice((f"{v4(rng)}/32", f"10.{rng.randrange(256)}.0.0/16", f"{v6(rng)}/128")),
    "macaddr": lambda rng: ":".join(hexadecimal(2)(rng) for _ in range(6)),
    "macaddr8": hexadecimal(16),
    "varbit": bits,
    "bit(70)": lambda rng: bits(rng).ljust(70, "0"),
    "point": pair,
    "lseg": lambda rng: f"[{pair(rng)},{pair(rng)}]",
    "box": lambda rng: f"{pair(rng)},{pair(rng)}",
    "path": lambda rng: f"({pair(rng)},{pair(rng)},{pair(rng)})",
    "polygon": lambda rng: f"({pair(rng)},{pair(rng)},{pair(rng)})",
    "circle": lambda rng: f"<{pair(rng)},{rng.randrange(100)}>",
    "tsvector": lambda rng: " ".join(rng.choices(("fat", "cat:3", "'it''s':1A,2", "rat"), k=3)),
    "tsquery": lambda rng: rng.choice(("fat & cat", "fat | !rat", "fat <-> cat")),
    "pg_lsn": lambda rng: f"{rng.randrange(1 << 32):X}/{rng.randrange(1 << 32):X}",
    "xid8": lambda rng: str(rng.randrange(1 << 63)),
    "tid": lambda rng: f"({rng.randrange(1 << 32)},{rng.randrange(1 << 16)})",
    "int4range": ordered(small),
    "int8range": ordered(small),
    "numrange": ordered(small),
    "daterange": ordered(lambda rng: date(rng, 1000)),
    "tsrange": ordered(lambda rng: f"{date(rng, 1000)} 12:34:56"),
    "tstzrange": ordered(lambda rng: f"{date(rng, 1000, 9998)} 12:34:56+00"),
    "int4multirange": lambda rng: "{" + ordered(small, empty=False)(rng) + "}",
    "oidvector": lambda rng: " ".join(str(rng.randrange(100)) for _ in range(rng.randrange(4))),
    "int2vector": lambda rng: " ".join(str(rng.randrange(100)) for _ in range(rng.randrange(4))),
    "jsonpath": lambda rng: rng.choice(("$.a", "$[*] ? (@ > 1)", "strict $.b")),
}


def samples(kind: str, count: int) -> Iterator[str]:
    """`count` literals of a type."""
    rng = random.Random(f"kecoa {kind}")
    return (TYPES[kind](rng) for _ in range(count))
