"""The local endpoint as its users meet it: through the command line, kecoa, psycopg2 and psql."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import psycopg2
import psycopg2.extras
import pytest

import kecoa
import kecoa.extras
import kecoa.local
from kecoa import errors
from tests.local.client import own_cursor, rows
from tests.local.processes import alive, free_port, wait_until

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
DRIVERS = pytest.mark.parametrize("module", [kecoa, psycopg2], ids=["kecoa", "psycopg2"])


@pytest.fixture
def cur(endpoint, module):
    """A cursor in autocommit mode, in a database of its own."""
    with own_cursor(endpoint.url, module.connect) as cur:
        yield cur


@DRIVERS
def test_it_says_what_it_is(cur):
    (version,) = rows(cur, "SELECT version()")[0]
    assert "CockroachDB" in version
    assert "local" in version
    assert cur.connection.get_parameter_status("crdb_version").startswith("CockroachDB")


@DRIVERS
def test_serializable_is_the_default(cur):
    assert rows(cur, "SHOW transaction_isolation") == [("serializable",)]


@DRIVERS
def test_upsert(cur):
    cur.execute("CREATE TABLE a (id INT PRIMARY KEY, v STRING, n INT DEFAULT 7)")
    cur.execute("UPSERT INTO a VALUES (1, 'one', 1), (2, 'two', 2)")
    assert cur.rowcount == 2
    cur.execute("UPSERT INTO a (id, v) VALUES (%s, %s) RETURNING id, v, n", (1, "UPSERT INTO b"))
    assert cur.fetchall() == [(1, "UPSERT INTO b", 1)]
    cur.execute("UPSERT INTO a (id, v) SELECT 3, 'three'")
    assert rows(cur, "SELECT * FROM a ORDER BY id") == [
        (1, "UPSERT INTO b", 1),
        (2, "two", 2),
        (3, "three", 7),
    ]
    cur.execute("CREATE TABLE c (x INT, y STRING, z BYTES, PRIMARY KEY (x, y))")
    for z in (b"\0", b"\1"):
        cur.execute("UPSERT INTO c VALUES (1, 'k', %s)", (module_binary(cur, z),))
    assert [(x, y, bytes(z)) for x, y, z in rows(cur, "SELECT * FROM c")] == [(1, "k", b"\1")]


def module_binary(cur, value):
    return (psycopg2 if isinstance(cur, psycopg2.extensions.cursor) else kecoa).Binary(value)


@DRIVERS
def test_types_are_cockroachdbs(cur):
    cur.execute(
        "CREATE TABLE t (i INT, s STRING, b BYTES, k SERIAL PRIMARY KEY, u UUID DEFAULT gen_random_uuid(),"
        " INDEX (i), UNIQUE INDEX by_s (s), FAMILY main (i, s), FAMILY rest (b, k, u))"
    )
    cur.execute("INSERT INTO t (i, s) VALUES (9223372036854775807, 'x') RETURNING i, s, k, u")
    i, s, k, u = cur.fetchone()
    assert (i, s) == (2**63 - 1, "x")
    assert k > 2**32
    assert u
    cur.execute("SELECT i, s, b FROM t")
    assert [column.type_code for column in cur.description] == [20, 25, 17]
    with pytest.raises(Exception) as raised:
        cur.execute("INSERT INTO t (s) VALUES ('x')")
    assert raised.value.pgcode == "23505"


@DRIVERS
def test_show(cur):
    cur.execute(
        "CREATE TABLE shown (id INT PRIMARY KEY, name STRING NOT NULL, n INT, INDEX by_name (name) STORING (n))"
    )
    assert "shown" in [row[1] for row in rows(cur, "SHOW TABLES")]
    assert [row[0] for row in rows(cur, "SHOW COLUMNS FROM shown")] == ["id", "name", "n"]
    assert "by_name" in {row[1] for row in rows(cur, "SHOW INDEXES FROM shown")}
    assert "defaultdb" in {row[0] for row in rows(cur, "SHOW DATABASES")}
    ((name, statement),) = rows(cur, "SHOW CREATE TABLE shown")
    assert name == "shown"
    assert "name" in statement


@DRIVERS
def test_text_is_left_alone(cur):
    quoted = "UPSERT INTO x -- STRING /* BYTES"
    assert rows(
        cur, "SELECT %s, $$UPSERT INTO y$$, E'STRING\\'s' /* UPSERT INTO z */ -- SHOW TABLES", (quoted,)
    ) == [(quoted, "UPSERT INTO y", "STRING's")]


@DRIVERS
def test_a_schema_change_commits_what_is_open(cur):
    conn = cur.connection
    cur.execute("CREATE TABLE t (a INT PRIMARY KEY)")
    conn.autocommit = False
    cur.execute("INSERT INTO t VALUES (1)")
    cur.execute("ALTER TABLE t ADD COLUMN b STRING")
    assert any("autocommit_before_ddl" in notice for notice in conn.notices)
    conn.rollback()
    assert rows(cur, "SELECT a, b FROM t") == [(1, None)]
    conn.rollback()


def test_drop_database_may_end_autovacuums_worker(endpoint):
    # When one comes is autovacuum's to say, so what is tested is the right that it takes: without it, a
    # DROP DATABASE fails now and then with "permission denied to terminate process".
    conn = kecoa.connect(endpoint.url)
    with conn, conn.cursor() as cursor:
        assert rows(cursor, "SELECT pg_has_role(current_user, 'pg_signal_backend', 'USAGE')") == [(True,)]
    conn.close()


@DRIVERS
def test_what_says_where_data_lies_is_accepted_with_a_notice(cur):
    cur.execute("CREATE TABLE t (a INT PRIMARY KEY) LOCALITY REGIONAL BY ROW")
    cur.execute("ALTER TABLE t SET LOCALITY GLOBAL")
    said = [notice for notice in cur.connection.notices if "no regions" in notice]
    assert len(said) == 2
    assert rows(cur, "SHOW REGIONS FROM CLUSTER") == []


@DRIVERS
def test_numbers_and_limits_are_cockroachdbs(cur):
    cur.execute("CREATE TABLE t (a INT PRIMARY KEY, b INT)")
    cur.execute("INSERT INTO t SELECT i, i FROM generate_series(1, 10) AS g(i)")
    cur.execute("UPDATE t SET b = 0 ORDER BY a DESC LIMIT %s RETURNING a", (2,))
    assert sorted(cur.fetchall()) == [(9,), (10,)]
    assert rows(cur, "SELECT a / 4, a // 4 FROM t WHERE a = 10") == [(Decimal("2.5"), 2)]


@DRIVERS
@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 AS OF SYSTEM TIME '-1h'", "CREATE CHANGEFEED FOR TABLE t", "SHOW RANGES FROM TABLE t"],
)
def test_what_it_cannot_do_names_cockroachdb(cur, statement):
    with pytest.raises(Exception) as raised:
        cur.execute(statement)
    assert "CockroachDB" in str(raised.value)


@DRIVERS
def test_the_restart_savepoint(endpoint, module):
    conn = module.connect(endpoint.url)
    cur = conn.cursor()
    cur.execute("CREATE TABLE IF NOT EXISTS restarted (n INT)")
    conn.commit()
    cur.execute("SAVEPOINT cockroach_restart")
    cur.execute("INSERT INTO restarted VALUES (1)")
    cur.execute("ROLLBACK TO SAVEPOINT cockroach_restart")
    cur.execute("INSERT INTO restarted VALUES (2)")
    cur.execute("RELEASE SAVEPOINT cockroach_restart")
    conn.commit()
    cur.execute("SELECT n FROM restarted")
    assert cur.fetchall() == [(2,)]
    cur.execute("DROP TABLE restarted")
    conn.commit()
    conn.close()


@DRIVERS
def test_injected_retries_are_retried(endpoint, module):
    conn = module.connect(endpoint.url)
    conn.autocommit = True
    conn.cursor().execute("CREATE TABLE IF NOT EXISTS injected (n INT)")
    conn.cursor().execute("SET inject_retry_errors_enabled = true")
    reports = []

    def body(conn):
        cur = conn.cursor()
        if len(reports) == 3:
            cur.execute("SET inject_retry_errors_enabled = false")
        cur.execute("INSERT INTO injected VALUES (1)")

    policy = kecoa.RetryPolicy(first_delay=0.001)
    kecoa.run_transaction(conn, body, policy=policy, on_attempt=reports.append)
    assert [report.decision for report in reports] == ["retry"] * 3 + ["committed"]
    assert all("restart transaction" in str(report.error) for report in reports[:3])
    cur = conn.cursor()
    cur.execute("SELECT count(*) FROM injected")
    assert cur.fetchone() == (1,)
    cur.execute("DROP TABLE injected")
    conn.close()


def test_force_retry_is_cockroachdbs_error(endpoint):
    conn = kecoa.connect(endpoint.url)
    with pytest.raises(errors.SerializationFailure, match="restart transaction"):
        conn.cursor().execute("SELECT crdb_internal.force_retry('100ms')")
    conn.close()


def test_psql(endpoint):
    from tools.testserver import installed_programs

    psql = os.environ.get("KECOA_TEST_PSQL") or installed_programs() / "psql"
    done = subprocess.run(
        [psql, endpoint.url, "-AtX", "-c", "SELECT 1", "-c", "UPSERT INTO no_such_table VALUES (1)"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "1\n"
    assert "no_such_table" in done.stderr


BALANCE = "account id: "


def balances(output):
    return [line.rpartition("$")[2] for line in output.splitlines() if line.startswith(BALANCE)]


def test_demo(endpoint):
    done = endpoint.kecoa("demo")
    assert balances(done.stdout) == ["1000", "250", "900", "350"]


def test_demo_with_injected_retries(endpoint):
    done = endpoint.kecoa("demo", "--inject-retries")
    assert balances(done.stdout) == ["1000", "250", "900", "350"]
    assert (done.stdout + done.stderr).count("attempt") >= 3


def test_a_psycopg2_program_through_kecoa_run(endpoint):
    done = endpoint.kecoa("run", str(EXAMPLES / "transfer_psycopg2.py"))
    assert balances(done.stdout) == ["1000", "250", "900", "350"]


@pytest.mark.parametrize("program", ["transfer.py", "transfer_psycopg2.py"])
def test_the_examples_by_themselves(endpoint, program):
    """transfer_psycopg2.py runs on the real psycopg2 here."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / program)],
        env={**os.environ, "DATABASE_URL": endpoint.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert balances(done.stdout) == ["1000", "250", "900", "350"], done.stderr


@pytest.mark.parametrize("program", ["transfer.py", "transfer_psycopg2.py"])
def test_the_examples_on_postgresql(dsn, program):
    done = subprocess.run(
        [sys.executable, "-m", "kecoa", "run", str(EXAMPLES / program)],
        env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        check=False,
    )
    if program == "transfer.py":
        assert balances(done.stdout) == ["1000", "250", "900", "350"], done.stderr
    else:
        assert "UPSERT" in done.stderr  # plain PostgreSQL has none, and says so


# ---- starting and stopping -------------------------------------------------------------------


def test_a_life(fresh_endpoint):
    endpoint = fresh_endpoint
    assert endpoint.command("status", check=False).returncode == 3
    assert endpoint.command("url", check=False).returncode == 3
    port = free_port()
    url = endpoint.start("--port", port)
    assert f":{port}/" in url
    assert endpoint.start() == url
    assert endpoint.command("url").stdout.strip() == url
    status = json.loads(endpoint.command("status", "--json").stdout)
    assert status["status"] == "running"
    conn = kecoa.connect(url)
    conn.cursor().execute("CREATE TABLE kept (n INT)")
    conn.commit()
    conn.close()
    endpoint.stop()
    wait_until(lambda: not alive(status["pid"]) and not alive(status["server_pid"]))
    with pytest.raises(kecoa.OperationalError):
        kecoa.connect(url)
    endpoint.stop()  # nothing to do, and no error
    conn = kecoa.connect(endpoint.start("--port", port))
    conn.cursor().execute("SELECT n FROM kept")
    conn.close()


def test_two_starts_at_once_make_one_endpoint(fresh_endpoint):
    urls, failures = [], []
    port = free_port()

    def start():
        try:
            urls.append(fresh_endpoint.command("start", "--port", port).stdout.strip())
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(urls) == 3
    assert len(set(urls)) == 1


def test_a_killed_owner_is_found_and_replaced(fresh_endpoint):
    port = free_port()
    url = fresh_endpoint.start("--port", port)
    status = json.loads(fresh_endpoint.command("status", "--json").stdout)
    os.kill(status["pid"], signal.SIGKILL)
    wait_until(lambda: not alive(status["pid"]))
    assert fresh_endpoint.start("--port", port) == url
    conn = kecoa.connect(url)
    conn.close()
    fresh_endpoint.stop()
    again = json.loads(fresh_endpoint.command("status", "--json", check=False).stdout)
    assert again["status"] == "stopped"
    wait_until(lambda: not alive(status["server_pid"]))


def test_a_killed_owner_can_be_stopped(fresh_endpoint):
    fresh_endpoint.start("--port", free_port())
    status = json.loads(fresh_endpoint.command("status", "--json").stdout)
    os.kill(status["pid"], signal.SIGKILL)
    wait_until(lambda: not alive(status["pid"]))
    fresh_endpoint.stop()
    wait_until(lambda: not alive(status["server_pid"]))


def test_from_python(fresh_endpoint, monkeypatch):
    monkeypatch.setenv("KECOA_HOME", str(fresh_endpoint.home))
    assert kecoa.local.url() is None
    assert kecoa.local.status()["status"] == "stopped"
    port = int(free_port())
    with kecoa.local.running(port=port) as url:
        assert kecoa.local.url() == url
        assert kecoa.local.start() == url
        with kecoa.local.running() as same:
            assert same == url
        assert kecoa.local.status()["status"] == "running"
        kecoa.connect(url).close()
    assert kecoa.local.url() is None
    kecoa.local.stop()


def test_a_start_that_cannot_be_says_why(fresh_endpoint, monkeypatch):
    monkeypatch.setenv("KECOA_HOME", str(fresh_endpoint.home))
    monkeypatch.setenv("KECOA_POSTGRES", "/no/such/folder")
    with pytest.raises(kecoa.OperationalError, match="KECOA_POSTGRES"):
        kecoa.local.start()
