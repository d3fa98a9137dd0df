"""The page on PEP 249 leaves out no name of the PEP, and runs a block for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import blocks

PAGE = Path(__file__).resolve().parent.parent.parent / "docs/en/tutorial/pep249.md"
SHOWN = "\n".join(
    block.source + (block.output.source if block.output else "")
    for block in blocks.read(PAGE).blocks
    if block.language == "python"
)
MODULE = ["connect", "apilevel", "threadsafety", "paramstyle"]
CONNECTION = ["close", "commit", "rollback", "cursor"]
CURSOR = [
    *("description", "rowcount", "callproc", "close", "execute", "executemany", "fetchone", "fetchmany"),
    *("fetchall", "nextset", "arraysize", "setinputsizes", "setoutputsize"),
]
TYPES = [
    *("Date", "Time", "Timestamp", "DateFromTicks", "TimeFromTicks", "TimestampFromTicks", "Binary"),
    *("STRING", "BINARY", "NUMBER", "DATETIME", "ROWID"),
]
ERRORS = [
    *("Error", "InterfaceError", "DataError", "OperationalError", "IntegrityError", "InternalError"),
    *("ProgrammingError", "NotSupportedError"),
]
EXTENSIONS = [
    *("rownumber", "connection", "scroll", "lastrowid", "autocommit", "xid", "tpc_begin", "tpc_prepare"),
    *("tpc_commit", "tpc_recover"),
]
# Mentioned, without a block: what is never raised or does not exist, and the class between the others.
IN_WORDS = ["Warning", "DatabaseError", "messages", "errorhandler", "__iter__", "next", "tpc_rollback"]


@pytest.mark.parametrize("name", [*MODULE, *CONNECTION, *CURSOR, *TYPES, *ERRORS, *EXTENSIONS])
def test_a_block_shows(name: str) -> None:
    assert re.search(rf"\b{name}\b", SHOWN)


@pytest.mark.parametrize("name", IN_WORDS)
def test_the_page_mentions(name: str) -> None:
    assert re.search(rf"\b{name}\b", PAGE.read_text("utf-8"))
