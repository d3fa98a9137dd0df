"""docs/en/reference/types.md is true: its table says what comes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import kecoa

PAGE = (Path(__file__).resolve().parents[2] / "docs/en/reference/types.md").read_text("utf-8")

# A value of each type of the table that every server has.
SAMPLES = {
    "bool": "t", "int2": "1", "int4": "1", "int8": "1", "oid": "1", "float4": "1", "float8": "1",
    "numeric": "1", "text": "a", "varchar": "a", "bpchar": "a", "name": "a", '"char"': "a", "bytea": "a",
    "date": "2024-01-01", "time": "12:00", "timetz": "12:00+00", "timestamp": "2024-01-01",
    "timestamptz": "2024-01-01", "interval": "1 day", "uuid": "00000000-0000-0000-0000-000000000000",
    "json": "{}", "jsonb": "{}", "inet": "10.0.0.1", "cidr": "10.0.0.0/8", "macaddr": "08:00:2b:01:02:03",
    "macaddr8": "08:00:2b:01:02:03:04:05", "bit": "1", "varbit": "1", "money": "1", "int4range": "[1,2)",
    "int8range": "[1,2)", "numrange": "[1,2)", "daterange": "[2024-01-01,)", "tsrange": "[2024-01-01,)",
    "tstzrange": "[2024-01-01,)", "int4multirange": "{}", "point": "(1,2)", "lseg": "(1,2),(3,4)",
    "path": "[(1,2)]", "box": "(1,2),(3,4)", "polygon": "((1,2))", "line": "{1,2,3}", "circle": "<(1,2),3>",
    "pg_lsn": "0/1", "tid": "(0,1)", "xid8": "1",
}  # fmt: skip


def rows():
    table = PAGE.partition("## The table")[2].partition("\n## ")[0]
    for line in table.splitlines():
        cells = line.split("|")
        if len(cells) == 5 and "`" in cells[1]:
            yield re.findall("`([^`]+)`", cells[1]), re.findall("`([^`]+)`", cells[2])


@pytest.mark.parametrize("binding", ["client", "server"])
def test_the_table(dsn, binding):
    conn = kecoa.connect(dsn, binding=binding)
    cur = conn.cursor()
    seen = set()
    for kinds, classes in rows():
        for kind in kinds:
            if kind in SAMPLES:
                seen.add(kind)
                cur.execute(f"SELECT %s::text::{kind}", (SAMPLES[kind],))
                assert type(cur.fetchone()[0]).__name__ in classes, kind
    assert seen == set(SAMPLES)
    cur.execute("SELECT pg_sleep(0)")
    assert cur.fetchone() == ("",)
    conn.close()
