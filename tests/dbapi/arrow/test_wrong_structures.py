"""Foreign Arrow structures whose fields are wrong, one after the other: an error each, and no dead process."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

#: What changes nothing that is read, or means what it says.
HARMLESS = re.compile(
    r"table's schema, name null|metadata is|dictionary null|children null|first (child|field) null|"
    r"n_children 0|null_count -1|buffer \d null|column's format is a list|"
    r"decimal: column's format is another|int32 with NULL: column's array, 1 NULLs|"
    # A column of NULLs has no buffers, a table and a column of short lists have one.
    r"null: column's array, |(table|fixed list: column)'s array, n_buffers 1"
)


@pytest.fixture(scope="module")
def outcomes(dsn):
    program = [sys.executable, "-X", "faulthandler", "-m", "tests.dbapi.arrow.wrong_structures", dsn]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    return lines


def test_the_right_ones_are_taken(outcomes):
    right = [line for line in outcomes if line.startswith("right ")]
    assert len(right) == 13
    assert all(line.endswith(" 2") for line in right)


def test_the_wrong_ones_are_refused(outcomes):
    refused = [line for line in outcomes if line.startswith("refused ")]
    taken = [line for line in outcomes if line.startswith("taken ")]
    assert len(refused) > 1200
    assert [line for line in taken if not HARMLESS.search(line.partition(" | ")[0])] == []
    # Each says something.
    assert all(line.partition(" | ")[2] for line in refused)


def test_a_column_has_its_rows_whatever_is_wrong_beside_it(outcomes):
    for line in outcomes:
        if line.startswith("taken "):
            assert " | (2, [" in line, line


def test_the_connection_goes_on(outcomes):
    assert outcomes[-1].startswith("end 7 ")
