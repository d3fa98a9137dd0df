"""docs/*/reference/psycopg2.md: its tables are those of the registered differences and of psycopg2's skip reasons."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.parity.differences import BEHAVIOURS, DIFFERENCES
from tests.suites.psycopg2_endpoint import LACKS

ROOT = Path(__file__).parent.parent
LANGUAGES = pytest.mark.parametrize("language", ["en", "id"])


def rows(language, table):
    """The cells of the rows of a table, without its head."""
    text = (ROOT / "docs" / language / "reference/psycopg2.md").read_text("utf-8")
    found = re.search(rf"<!-- {table}: \S+ -->\n(.*?)<!-- end -->", text, re.S)
    return [line.strip("|").strip().split(" | ") for line in found[1].splitlines()[2:]]


def test_behaviours():
    assert rows("en", "behaviours") == [[row.what, row.psycopg2, row.kecoa] for row in BEHAVIOURS]


def test_names():
    assert rows("en", "names") == [[row.topic, row.reason, str(len(row.findings))] for row in DIFFERENCES]


@pytest.mark.parametrize("table", ["behaviours", "names"])
def test_both_languages_have_the_same_rows(table):
    def code(cells):
        return [sorted(re.findall(r"`[^`]+`", cell)) for cell in cells]

    english, indonesian = rows("en", table), rows("id", table)
    assert [code(row) for row in indonesian] == [code(row) for row in english]
    assert all(row != other for row, other in zip(english, indonesian, strict=True))


@LANGUAGES
def test_what_cockroachdb_lacks(language):
    expected = [
        [row["reason"], str(row["tests"])]
        + ([f"[cockroach#{row['issue'].rpartition('/')[2]}]({row['issue']})"] if row["issue"] else [])
        for row in json.loads(LACKS.read_text("utf-8"))
    ]
    assert [
        [cell.rstrip(" |") for cell in row if cell.strip(" |")] for row in rows(language, "lacks")
    ] == expected


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.what[:40])
def test_the_test_of_a_behaviour_is_there(behaviour):
    path, _, function = behaviour.test.partition("::")
    assert f"\ndef {function}(" in (ROOT / "tests" / path).read_text("utf-8")
