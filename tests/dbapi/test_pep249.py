"""PEP 249's compliance suite, as psycopg2 ships it, on kecoa; and on psycopg2, to know that it is run rightly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.reasons import skip
from tools import run_psycopg2_suite as suite


@pytest.fixture(scope="module")
def source() -> Path:
    try:
        return suite.fetch_source()
    except suite.SuiteError:
        skip("no-psycopg2-source")
        raise


@pytest.mark.parametrize("module", ["psycopg2", "kecoa"])
def test_compliance(dsn, source, module):
    outcomes = suite.run(module, dsn, source, ["psycopg2_dbapi20.Psycopg2Tests"])
    failed = {
        test: outcome["reason"]
        for test, outcome in outcomes.items()
        if outcome["outcome"] in ("fail", "error")
    }
    assert not failed
    assert Counter(outcome["outcome"] for outcome in outcomes.values()) == {"pass": 35}
