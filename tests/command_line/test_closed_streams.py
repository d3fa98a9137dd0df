"""Standard streams that are closed: what is printed never goes into a connection."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ..terminal import TIMEOUT

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"]


@pytest.fixture
def run_closed(environment, tmp_path):
    """Run a command with some of its standard streams closed."""

    def run(closed, *arguments, **variables):
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "kecoa", *arguments],
            env={**environment, **variables},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )

    return run


@pytest.mark.parametrize("closed", CLOSED)
def test_statements_run_or_are_refused_before_they_run(run_closed, connect, dsn, closed):
    conn = connect()
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("CREATE TABLE closed_streams (n INT8)")
    try:
        done = run_closed(closed, "sql", dsn, "-c", "INSERT INTO closed_streams VALUES (42) RETURNING n")
        cur.execute("SELECT count(*) FROM closed_streams")
        has_output = ">&-" not in closed.replace("2>&-", "")
        assert (done.returncode, cur.fetchone()) == ((0, (1,)) if has_output else (1, (0,))), done.stderr
        if closed == ">&-":
            assert done.stderr == "kecoa: cannot write to standard output: it is closed\n"
    finally:
        cur.execute("DROP TABLE closed_streams")


def test_a_file_takes_the_results(run_closed, dsn, tmp_path):
    done = run_closed(">&-", "sql", dsn, "-At", "-o", "results", "-c", "SELECT 42")
    assert (done.returncode, (tmp_path / "results").read_text()) == (0, "42\n"), done.stderr


@pytest.mark.parametrize(
    "arguments", [["doctor"], ["demo", "--json", "--url"], ["doctor", "--json"]], ids=" ".join
)
def test_results_that_cannot_be_written_are_a_failure(run_closed, dsn, arguments):
    done = run_closed(">&-", *arguments, dsn)
    assert done.returncode == 1
    assert "cannot write to standard output: it is closed" in done.stderr


def test_what_has_no_result_needs_no_standard_output(run_closed):
    assert run_closed(">&-", "local", "stop").returncode == 0


@pytest.mark.parametrize("closed", CLOSED)
def test_a_program_that_is_run(run_closed, dsn, tmp_path, closed):
    (tmp_path / "program.py").write_text(
        "import os, psycopg2, subprocess\n"
        "conn = psycopg2.connect(os.environ['DATABASE_URL'])\n"
        "assert conn.fileno() > 2\n"
        "print('printed')\n"
        "subprocess.run(['echo', 'by a child'], check=True)\n"
        "cur = conn.cursor()\n"
        "cur.execute('SELECT 42')\n"
        "assert cur.fetchone() == (42,)\n"
        "open('reached', 'w').close()\n"
    )
    done = run_closed(closed, "run", "program.py", DATABASE_URL=dsn)
    assert (done.returncode, (tmp_path / "reached").exists()) == (0, True), done.stderr
