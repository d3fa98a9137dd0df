"""No password is in an error, a log record, an event or an output."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import traceback

import pytest

import kecoa
import kecoa.aio
import kecoa.observe
from kecoa import RetryPolicy, errors
from tests.observe.flaky import MARKER

WRONG = [
    f"postgresql://u:{MARKER}@127.0.0.1:1/d",
    f"postgresql://u:{MARKER}/x@127.0.0.1/d",
    f"postgresql://u:{MARKER}%@127.0.0.1/d",
    f"postgresql://u:{MARKER}@127.0.0.1:1/d?sslmod=require",
    f"postgresql://u:{MARKER}@127.0.0.1:1/d?sslmode=never",
    f"host=127.0.0.1 port=1 password={MARKER} sslpassword={MARKER}",
    f"host=127.0.0.1 port=1 passwordd={MARKER}",
    f"host=127.0.0.1 port=1 password=a {MARKER}",
    f"host=127.0.0.1 port=1 password='{MARKER}",
    f"host=127.0.0.1 port=1 scram_client_key={MARKER}",
    f"host=127.0.0.1 port=1 oauth_client_secret={MARKER}",
]


def frames(error: BaseException) -> str:
    """The traceback; of its frames' locals, those of kecoa's own."""
    found = [str(error), repr(error), "".join(traceback.format_exception(error))]
    return "\n".join(line for text in found for line in text.splitlines() if "kecoa.connect(" not in line)


@pytest.mark.parametrize("dsn", WRONG)
def test_errors_of_connecting_hold_no_secret(dsn, caplog, events):
    with caplog.at_level(logging.DEBUG), pytest.raises(kecoa.Error) as caught:
        kecoa.connect(dsn)
    with caplog.at_level(logging.DEBUG), pytest.raises(kecoa.Error) as caught_soon:
        asyncio.run(kecoa.aio.connect(dsn))
    assert MARKER not in frames(caught.value)
    assert MARKER not in frames(caught_soon.value)
    assert MARKER not in caplog.text
    assert MARKER not in repr(events)
    for arguments in (["doctor", dsn], ["doctor", "--json", dsn]):
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert MARKER not in done.stdout + done.stderr


def test_what_a_connection_shows_holds_no_secret(dsn, caplog, events):
    with caplog.at_level(logging.DEBUG):
        conn = kecoa.connect(dsn, password=MARKER)
        cur = conn.cursor()
        with pytest.raises(errors.UndefinedTable) as caught:
            cur.execute("TABLE no_such_table")
        conn.rollback()
        parameters = conn.get_dsn_parameters()
        with pytest.raises(kecoa.OperationalError) as lost:
            cur.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    shown = [
        conn.dsn,
        repr(conn),
        str(conn),
        repr(cur),
        repr(conn.info),
        str(parameters),
        frames(caught.value),
        frames(lost.value),
        repr(caught.value.diag),
        caplog.text,
        repr(events),
        repr(kecoa.observe.counters()),
        repr(RetryPolicy()),
    ]
    assert [text for text in shown if MARKER in text] == []


def test_an_async_connection_shows_no_secret(dsn, caplog, events):
    async def main() -> list[str]:
        conn = await kecoa.aio.connect(dsn, password=MARKER)
        shown = [repr(conn), str(conn), repr(conn.cursor()), repr(conn.info)]
        await conn.close()
        return shown

    with caplog.at_level(logging.DEBUG):
        shown = asyncio.run(main())
    assert [text for text in [*shown, caplog.text, repr(events)] if MARKER in text] == []


def test_the_command_lines_outputs_hold_no_secret(dsn, endpoint):
    environment = {**endpoint.environment, "PGPASSWORD": MARKER, "DATABASE_URL": f"{dsn} password={MARKER}"}
    for arguments in (
        ["local", "status"],
        ["local", "status", "--json"],
        ["local", "url"],
        ["doctor"],
        ["doctor", "--json"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert MARKER not in done.stdout + done.stderr
