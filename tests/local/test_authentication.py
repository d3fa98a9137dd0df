"""Who gets into the local endpoint, and how far: other users of the machine, clients with and without the password."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

import kecoa
from tests.local.attacks import ATTACKS, IGNORED, OPTIONS
from tests.local.users import EndpointOf, another_user, call_as, kecoa_as, run_as
from tests.reasons import skip
from tools.testserver import temporary_folder


def without_password(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(f":{parts.password}@", "@")


@pytest.fixture(scope="module", params=["root", "ordinary"])
def owned(request):
    """An endpoint that runs, of root's or of an ordinary user's."""
    if os.geteuid() != 0:
        if request.param == "root":
            skip("not-root")
        owner = None
    else:
        owner = None if request.param == "root" else another_user()
    with temporary_folder() as folder:
        endpoint = EndpointOf(Path(folder), owner)
        endpoint.start()
        yield endpoint
        endpoint.command("stop", check=False)


@pytest.fixture
def stranger(owned):
    """The name of another user of the machine than the endpoint's."""
    if os.geteuid() != 0:
        skip("not-root")
    return another_user(owned.user or "root")


def status_of(endpoint):
    return json.loads(endpoint.command("status", "--json").stdout)


def attempt(user, dsn):
    """Connect as a user of the machine; what came of it."""

    def connect():
        try:
            psycopg2.connect(dsn).close()
        except psycopg2.OperationalError as error:
            print("refused:", error)
        else:
            print("in")

    return call_as(user, connect).output


def test_another_user_is_let_in_with_the_password_only(owned, stranger):
    port = urlsplit(owned.url).port
    assert attempt(stranger, owned.url) == "in\n"
    for dsn, why in [
        (without_password(owned.url), "no password supplied"),
        (owned.url.replace("root:", "root:x"), "password authentication failed"),
        (
            f"host=127.0.0.1 port={port} user=node password=node dbname=defaultdb",
            "password authentication failed",
        ),
        (f"host=localhost port={port} user=root password='' dbname=defaultdb", "no password supplied"),
    ]:
        said = attempt(stranger, dsn)
        assert said.startswith("refused:"), dsn
        assert why in said


def test_another_user_finds_neither_the_password_nor_a_socket(owned, stranger):
    status = status_of(owned)
    instance = owned.home / "instances" / "default"
    state = json.loads((instance / "state.json").read_text())
    secret = urlsplit(owned.url).password
    looked_at = [
        instance / name for name in ("password", "state.json", "local.log", "server.log", "serve.lock")
    ]
    for path in looked_at:
        assert run_as(stranger, ["cat", str(path)]).code != 0, path
        assert path.stat().st_mode & 0o077 == 0, path
    for folder, number in ((status["socket"], status["port"]), (state["socket_dir"], 5432)):
        dsn = f"host={folder} port={number} user=root dbname=defaultdb"
        assert "Permission denied" in attempt(stranger, dsn)
        assert run_as(stranger, ["ls", folder]).code != 0
    for pid in (status["pid"], status["server_pid"]):
        command = run_as(stranger, ["cat", f"/proc/{pid}/cmdline"])
        assert command.code == 0
        assert secret not in command.output
        assert run_as(stranger, ["cat", f"/proc/{pid}/environ"]).code != 0
    assert secret not in json.dumps(status)
    assert secret not in owned.command("status").stdout
    assert secret not in (instance / "local.log").read_text() + (instance / "server.log").read_text()


def test_its_own_user_needs_no_password_at_its_socket(owned):
    status = status_of(owned)
    dsn = f"host={status['socket']} port={status['port']} user=whoever dbname=defaultdb"
    assert attempt(owned.user, dsn) == "in\n"
    assert os.stat(status["socket"]).st_mode & 0o777 == 0o700
    with kecoa.connect(dsn) as conn:
        cur = conn.cursor()
        cur.execute("SELECT current_user, current_setting('is_superuser')")
        assert cur.fetchone() == ("root", "off")


def test_status_and_stop_of_another_user_are_refused(owned, stranger):
    for command in ("status", "stop", "start", "url"):
        done = kecoa_as(stranger, owned.environment, "local", command)
        assert done.code == 1, done.output
        assert urlsplit(owned.url).password not in done.output
    assert status_of(owned)["status"] == "running"


@pytest.fixture(scope="module")
def connections(owned):
    """One connection for each way to send a statement."""
    renamed = owned.url.replace("root:", "somebody_else:")
    ways = [psycopg2.connect(renamed), kecoa.connect(renamed), kecoa.connect(renamed, binding="server")]
    for conn in ways:
        # The attempts shall reach PostgreSQL.
        conn.autocommit = True
        conn.cursor().execute("SET kecoa_strict = off")
        conn.autocommit = False
    yield ways
    for conn in ways:
        conn.close()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[:60])
def test_what_no_client_may_do(connections, attack):
    for conn in connections:
        cur = conn.cursor()
        cur.execute("SET LOCAL autocommit_before_ddl = off")
        try:
            with pytest.raises((kecoa.Error, psycopg2.Error)) as raised:
                for statement in [attack] if "$$" in attack else attack.split("; "):
                    cur.execute(statement)
        finally:
            # What was taken all the same shall not keep the others waiting.
            conn.rollback()
        if raised.value.pgcode == "25001":  # says nothing of rights
            conn.autocommit = True
            try:
                with pytest.raises((kecoa.Error, psycopg2.Error)) as raised:
                    conn.cursor().execute(attack)
            finally:
                conn.autocommit = False
        assert raised.value.pgcode not in ("57P01", "25001", "42804")
        cur.execute("SELECT current_user::text, current_setting('is_superuser')")
        assert cur.fetchone() == ("root", "off")
        conn.rollback()


@pytest.mark.parametrize("statement", IGNORED)
def test_what_is_ignored_gives_nothing(connections, statement):
    for conn in connections:
        cur = conn.cursor()
        given = "SELECT rolname FROM pg_authid WHERE (rolreplication OR rolbypassrls) AND rolname IN ('root', 's')"
        cur.execute(given)
        before = cur.fetchall()
        cur.execute("SET LOCAL autocommit_before_ddl = off")
        try:
            cur.execute(statement)
            cur.execute(given)
            assert cur.fetchall() == before
        finally:
            conn.rollback()


def test_catalogues_show_no_password(connections):
    for conn in connections:
        cur = conn.cursor()
        cur.execute("SELECT DISTINCT rolpassword FROM pg_authid")
        assert cur.fetchall() == [("********",)]
        cur.execute("SELECT passwd FROM pg_shadow")
        assert cur.fetchall() == []
        conn.rollback()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("user", ["root", "node", "postgres"])
def test_nothing_in_a_startup_message_helps(owned, options, user):
    url = urlsplit(owned.url)
    try:
        conn = psycopg2.connect(
            host="127.0.0.1",
            port=url.port,
            user=user,
            password=url.password,
            dbname="defaultdb",
            options=options,
        )
    except psycopg2.OperationalError:
        return
    with conn.cursor() as cur:
        cur.execute("SELECT session_user, current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cur.fetchone() == ("root", "root", False)
        cur.execute("SHOW allow_system_table_mods")
        assert cur.fetchone() == ("off",)
    conn.close()


def raw_startup(port, pairs):
    """Send a startup message that no library would; return the first byte and the rest of the answer."""
    body = struct.pack("!I", 196608) + b"".join(a + b"\0" + b + b"\0" for a, b in pairs) + b"\0"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        stream.sendall(struct.pack("!I", len(body) + 4) + body)
        return stream.recv(4096)


def test_startup_messages_that_no_library_sends(owned):
    port = urlsplit(owned.url).port
    for pairs in (
        [(b"user", b"node")],
        [(b"user", b"root"), (b"user", b"node")],
        [(b"user", b"node"), (b"replication", b"true")],
        [(b"database", b"defaultdb")],
        [],
        [(b"USER", b"node"), (b"user", b"")],
    ):
        answer = raw_startup(port, pairs)
        assert answer[:1] in (b"R", b"E"), answer
        assert answer[:1] == b"E" or struct.unpack("!I", answer[5:9]) == (10,), "let in without a password"


@pytest.mark.parametrize(
    "message",
    [
        b"Q" + struct.pack("!I", 13) + b"SELECT 1\0",
        b"p" + struct.pack("!I", 4),
        b"p" + struct.pack("!I", 12) + b"secret\0\0",
        b"p" + struct.pack("!I", 0x7FFFFFFF) + b"x",
        b"X" + struct.pack("!I", 4),
    ],
)
def test_what_is_no_password_message_is_not_let_in(owned, message):
    port = urlsplit(owned.url).port
    body = struct.pack("!I", 196608) + b"user\0root\0\0"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        stream.sendall(struct.pack("!I", len(body) + 4) + body + message)
        answer = b""
        while piece := stream.recv(4096):
            answer += piece
    assert b"Z" + struct.pack("!I", 5) not in answer
    assert answer[:1] == b"R"
    assert struct.unpack("!I", answer[5:9]) == (10,)


def test_those_who_say_nothing_lock_nobody_out(owned):
    """Another user of the machine can open connections; they end when the time for a login is over, or before."""
    port = urlsplit(owned.url).port
    with contextlib.ExitStack() as held:
        silent = [
            held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20)) for _ in range(300)
        ]
        half = struct.pack("!II", 400, 196608)
        for stream in silent[250:]:
            stream.sendall(half)
        psycopg2.connect(owned.url).close()
        while silent:
            readable = select.select(silent, [], [], 120)[0]
            assert readable, f"{len(silent)} are still there"
            for stream in readable:
                answer = b""
                while piece := stream.recv(4096):
                    answer += piece
                assert answer == b"" or b"C53300" in answer
                silent.remove(stream)
        psycopg2.connect(owned.url).close()


def test_replication_is_refused(owned):
    import psycopg2.extras

    for factory in (
        psycopg2.extras.LogicalReplicationConnection,
        psycopg2.extras.PhysicalReplicationConnection,
    ):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(owned.url, connection_factory=factory)


def test_what_programs_need_is_there(owned):
    """Extensions that PostgreSQL trusts, databases, roles and their rights, large objects, NOTIFY."""
    conn = kecoa.connect(owned.url)
    conn.autocommit = True
    cur = conn.cursor()
    for statement in (
        "CREATE DATABASE programs",
        "SET kecoa_strict = off",
        *(
            f'CREATE EXTENSION IF NOT EXISTS "{name}"'
            for name in ("hstore", "citext", "ltree", "pg_trgm", "btree_gist")
        ),
        "CREATE EXTENSION IF NOT EXISTS vector",
        "CREATE TABLE near (v vector(2))",
        "INSERT INTO near VALUES ('[1,2]')",
        "CREATE INDEX ON near USING hnsw (v vector_l2_ops)",
        "DROP EXTENSION vector CASCADE",
        "CREATE ROLE maya LOGIN PASSWORD 'x'",
        "CREATE USER budi WITH CREATEDB CREATEROLE",
        "GRANT admin TO maya",
        "GRANT maya TO budi",
        "CREATE SCHEMA AUTHORIZATION maya",
        "CREATE TABLE maya.t (n INT)",
        "ALTER TABLE maya.t OWNER TO maya",
        "GRANT SELECT ON maya.t TO budi",
        "SET ROLE budi",
        "SELECT * FROM maya.t",
        "RESET ROLE",
        "ALTER ROLE maya SET search_path = maya",
        "ALTER ROLE root SET statement_timeout = '1h'",
        "ALTER DATABASE defaultdb SET application_name = 'x'",
        "SELECT lo_create(0)",
        "LISTEN channel",
        "NOTIFY channel",
        "VACUUM maya.t",
        "ANALYZE",
        "DROP SCHEMA maya CASCADE",
        "DROP ROLE maya",
        "DROP ROLE budi",
        "DROP DATABASE programs",
        "ALTER ROLE root RESET ALL",
        "ALTER DATABASE defaultdb RESET ALL",
        *(f"DROP EXTENSION {name}" for name in ("hstore", "citext", "ltree", "pg_trgm", "btree_gist")),
    ):
        cur.execute(statement)
    cur.execute("SELECT crdb_internal.is_admin()")
    assert cur.fetchone() == (True,)
    conn.close()


TRAPS = [
    # a schema of ours that a client made first, with functions that would be called as the superuser
    "CREATE SCHEMA crdb_internal",
    "CREATE FUNCTION crdb_internal.sql_type(oid, int4) RETURNS text LANGUAGE plpgsql AS $$ "
    "BEGIN INSERT INTO public.caught VALUES (current_user::text); RETURN 'x'; END $$",
    "CREATE FUNCTION crdb_internal.divide(int8, int8) RETURNS numeric LANGUAGE plpgsql AS $$ "
    "BEGIN INSERT INTO public.caught VALUES (current_user::text); RETURN 1; END $$",
]
OVERLOADS = [
    "CREATE FUNCTION public.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ "
    "BEGIN INSERT INTO public.caught VALUES (current_user::text); RETURN 'x'; END $$",
    "CREATE FUNCTION public.upper(name) RETURNS text LANGUAGE plpgsql AS $$ "
    "BEGIN INSERT INTO public.caught VALUES (current_user::text); RETURN 'x'; END $$",
    "CREATE FUNCTION public.eq(name, text) RETURNS bool LANGUAGE plpgsql AS $$ "
    "BEGIN INSERT INTO public.caught VALUES (current_user::text); RETURN true; END $$",
    "CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.eq)",
    "CREATE TABLE public.pg_roles (rolname text, rolsuper bool)",
]


def test_a_database_with_traps_catches_nothing_at_the_next_start(fresh_endpoint):
    """The superuser prepares each database that is new to it, whatever its owner put there."""
    url = fresh_endpoint.start()
    conn = kecoa.connect(url)
    conn.autocommit = True
    cur = conn.cursor()
    for name, template in (("trap", "template0"), ("overloaded", "template1"), ("sealed", "template1")):
        cur.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    for name, statements in (("trap", TRAPS), ("overloaded", OVERLOADS)):
        inside = kecoa.connect(url.replace("/defaultdb", f"/{name}"))
        inside.autocommit = True
        inside.cursor().execute("SET kecoa_strict = off")
        inside.cursor().execute("CREATE TABLE caught (who text)")
        for statement in statements:
            inside.cursor().execute(statement)
        inside.close()
    cur.execute("COMMENT ON DATABASE overloaded IS 'kecoa:0'")
    cur.execute("SELECT current_setting('transaction_timeout', true) IS NOT NULL")
    (has_transaction_timeout,) = cur.fetchone()
    for setting in (
        "search_path = public, pg_catalog",
        "role = root",
        "default_transaction_read_only = on",
        "statement_timeout = 1",
        *(["transaction_timeout = 1"] if has_transaction_timeout else []),
        "default_transaction_isolation = serializable",
    ):
        cur.execute(f"ALTER DATABASE overloaded SET {setting}")
    cur.execute("ALTER DATABASE sealed SET local_preload_libraries = 'no_such_library'")
    conn.close()
    fresh_endpoint.stop()
    done = fresh_endpoint.command("start")
    assert "trap" in done.stderr
    assert "sealed" in done.stderr
    assert "overloaded" not in done.stderr
    url = done.stdout.strip()
    for name in ("trap", "overloaded"):
        inside = kecoa.connect(
            url.replace("/defaultdb", f"/{name}"),
            options="-c statement_timeout=0 -c transaction_timeout=0"
            if has_transaction_timeout
            else "-c statement_timeout=0",
        )
        with inside.cursor() as cur:
            cur.execute("SET search_path = DEFAULT")
            cur.execute("SELECT who FROM public.caught")
            assert cur.fetchall() == []
        inside.close()


def test_without_a_password_only_where_it_is_asked_for(fresh_endpoint):
    done = fresh_endpoint.command("start", "--no-password")
    url = done.stdout.strip()
    assert urlsplit(url).password is None
    assert "every user of this machine" in done.stderr
    psycopg2.connect(url).close()
    assert "every user of this machine" in fresh_endpoint.command("status").stdout
    assert fresh_endpoint.start() == url
    fresh_endpoint.stop()
    url = fresh_endpoint.start()
    assert urlsplit(url).password
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(without_password(url))
    refused = fresh_endpoint.command("start", "--no-password", check=False)
    assert refused.returncode == 1
    assert "with a password" in refused.stderr
    assert urlsplit(url).password not in refused.stderr


def test_the_password_stays_over_a_restart_and_is_each_instance_s_own(fresh_endpoint):
    first = fresh_endpoint.start()
    other = fresh_endpoint.command("start", "--name", "other").stdout.strip()
    assert urlsplit(first).password != urlsplit(other).password
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(other.replace(urlsplit(other).password, urlsplit(first).password))
    fresh_endpoint.command("stop", "--name", "other")
    fresh_endpoint.stop()
    assert urlsplit(fresh_endpoint.start()).password == urlsplit(first).password


def test_faults_are_behind_the_password_too(fresh_endpoint):
    url = fresh_endpoint.start("--faults", "delay:1ms")
    psycopg2.connect(url).close()
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(without_password(url))
    assert json.loads(fresh_endpoint.command("status", "--json").stdout)["socket"] is None


def test_kecoa_run_gets_the_password(fresh_endpoint, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, psycopg2\npsycopg2.connect(os.environ['DATABASE_URL']).close()\nprint('connected')\n"
    )
    done = fresh_endpoint.kecoa("run", str(program))
    assert done.stdout == "connected\n"
    demo = fresh_endpoint.kecoa("demo")
    secret = urlsplit(fresh_endpoint.command("url").stdout.strip()).password
    assert secret not in demo.stdout + demo.stderr
    fresh_endpoint.environment["DATABASE_URL"] = fresh_endpoint.command("url").stdout.strip()
    doctor = fresh_endpoint.kecoa("doctor", check=False)
    assert secret not in doctor.stdout + doctor.stderr
