"""The transfer in SQLAlchemy Core, ORM and async ORM, on the local endpoint and on PostgreSQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa

import kecoa
from kecoa.sqlalchemy import engine_url

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
PROGRAMS = ["transfer_sqlalchemy_core.py", "transfer_sqlalchemy_orm.py", "transfer_sqlalchemy_async.py"]


def run(program, url):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / program)],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.findall(r"balance: \$(\d+)", done.stdout) == ["1000", "250", "900", "350"], done.stderr
    assert "attempt 1: committed" in done.stdout


@pytest.fixture
def postgresql_url(dsn):
    facts = kecoa.extensions.parse_dsn(dsn)
    query = {"host": facts["host"], "port": facts["port"]}
    url = sa.URL.create("postgresql", facts["user"], database=facts["dbname"], query=query)
    yield url.render_as_string(hide_password=False)
    with kecoa.connect(dsn) as conn:
        conn.cursor().execute("DROP TABLE IF EXISTS accounts")
    conn.close()


@pytest.mark.parametrize("program", PROGRAMS)
def test_on_the_local_endpoint(endpoint, program):
    run(program, endpoint.url)


@pytest.mark.parametrize("program", PROGRAMS)
def test_on_postgresql(postgresql_url, program):
    run(program, postgresql_url)


def test_the_url_names_the_servers_dialect(endpoint, postgresql_url):
    assert engine_url(endpoint.url).drivername == "cockroachdb+kecoa"
    assert engine_url(postgresql_url).drivername == "postgresql+kecoa"
    assert engine_url("cockroachdb://nowhere.invalid/db").drivername == "cockroachdb+kecoa"
    # SQLAlchemy takes the end of a password for a port, and says so.
    for wrong in ("postgresql://u:a@b:hunter2@h:1/d", "postgresql://u:hunter2", "hunter2"):
        with pytest.raises((sa.exc.ArgumentError, ValueError)) as raised:
            engine_url(wrong)
        assert "hunter2" not in "".join(traceback.format_exception(raised.value))
        assert "HINT: " in str(raised.value)
    assert engine_url("postgresql+asyncpg://nowhere.invalid/db").drivername == "postgresql+asyncpg"
    with pytest.raises(kecoa.OperationalError):
        engine_url("postgresql://127.0.0.1:1/db")
