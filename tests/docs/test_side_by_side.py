"""Each row of the page that puts psycopg2 beside SQLAlchemy runs, and both columns give the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import kecoa
from tests.docs import blocks

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "docs" / language / "reference/side-by-side.md" for language in ("en", "id")]
# What has no counterpart: objects of the one side, and how each of them says a thing.
DIFFERENT = {
    "A pool",
    "A cursor",
    "The version of the server",
    "The driver's own connection",
    "See the SQL",
    "Class of a violated constraint",
    "Class of a lost connection",
    "Close the pool",
}


def rows(page: Path) -> list[tuple[str, list[str], list[str]]]:
    """Return the rows of the tables behind the marker: the task and the lines of both columns."""
    found = []
    for table in re.findall(r"<!-- rows -->\n\|.*\n\|[-|]*\n((?:\|.*\n)+)", page.read_text("utf-8")):
        for line in table.splitlines():
            task, left, right = (cell.strip() for cell in line.strip("|").split(" | "))
            found.append((task, re.findall(r"`([^`]+)`", left), re.findall(r"`([^`]+)`", right)))
    return found


def run(lines: list[str], namespace: dict[str, Any]) -> Any:
    """Run lines; return the value of the last one, if it has one."""
    *before, last = lines or ["None"]
    for line in before:
        exec(line, namespace)
    try:
        code = compile(last, last, "eval")
    except SyntaxError:
        exec(last, namespace)
        return None
    return eval(code, namespace)


def plain(value: Any) -> Any:
    """Return tuples for rows; cursors and results are no values."""
    if isinstance(value, list):
        return [tuple(item) if hasattr(item, "_fields") else item for item in value]
    if hasattr(value, "_fields"):
        return tuple(value)
    return value if isinstance(value, (bool, int, str, list, dict, tuple)) else None


def test_both_columns_do_the_same(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", endpoint.url)
    page = blocks.read(PAGES[0])
    table = rows(PAGES[0])
    assert len(table) > 40
    results = []
    for column in (1, 2):
        namespace: dict[str, Any] = {}
        exec(page.blocks[0].source, namespace)
        answers = {}
        for row in table:
            try:
                answers[row[0]] = plain(run(row[column], namespace))
            except Exception as error:
                pytest.fail(f"{row[0]}, column {column}: {type(error).__name__}: {error}")
        results.append(answers)
    for task, left in results[0].items():
        if task not in DIFFERENT:
            assert left == results[1][task], task


def test_both_languages_have_the_same_rows() -> None:
    english, indonesian = ([(left, right) for _, left, right in rows(page)] for page in PAGES)
    assert english == indonesian


def test_kecoa_stands_for_psycopg2() -> None:
    """What the left column uses is there in psycopg2, but for what kecoa adds."""
    import psycopg2
    import psycopg2.extras
    import psycopg2.sql

    added = {"kecoa.run_transaction", "kecoa.pool.Pool"}
    for task, left, _ in rows(PAGES[0]):
        for name in set(re.findall(r"kecoa(?:\.\w+)+", " ".join(left))) - added:
            found: Any = psycopg2
            for part in name.split(".")[1:]:
                assert hasattr(found, part), (task, name)
                found = getattr(found, part)
    assert kecoa.apilevel == psycopg2.apilevel
