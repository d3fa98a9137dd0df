"""`kecoa sql` with arguments, files and pipes, on a PostgreSQL and on the local endpoint."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import kecoa.extensions


@pytest.fixture(params=["postgresql", "endpoint"])
def url(request):
    """Name each server in turn."""
    if request.param == "endpoint":
        return request.getfixturevalue("endpoint").url
    return request.getfixturevalue("dsn")


def test_formats(url, sql):
    query = "SELECT CAST(1 AS INT8) AS id, 'a,b' AS name, NULL AS nothing, true AS yes"
    for form, text in (
        ("csv", 'id,name,nothing,yes\n1,"a,b",,t\n'),
        ("tsv", "id\tname\tnothing\tyes\n1\ta,b\t\\N\tt\n"),
        ("ndjson", '{"id": 1, "name": "a,b", "nothing": null, "yes": true}\n'),
        ("markdown", "| id | name | nothing | yes |\n|--:|---|---|---|\n| 1 | a,b | NULL | t |\n"),
        (
            "table",
            " id | name | nothing | yes\n----+------+---------+-----\n  1 | a,b  | NULL    | t\n(1 row)\n",
        ),
    ):
        done = sql(url, "--format", form, "-c", query)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == text
    done = sql(url, "--format", "json", "-c", "SELECT g AS n FROM generate_series(1, 3) g")
    assert json.loads(done.stdout) == [{"n": 1}, {"n": 2}, {"n": 3}]


LISTS = (
    ("\\d kecoa_shell.*", ["kecoa_shell.parents", "kecoa_shell.seen", "by_parent"]),
    ("\\d kecoa_shell.parents", ["PRIMARY KEY", "not null", "'x'", "Referenced by", "children"]),
    ("\\d+ kecoa_shell.children", ["Foreign-key constraints", "Check constraints", "by_parent"]),
    ("\\d+ kecoa_shell.seen", ["View", "SELECT"]),
    ("\\dt kecoa_shell.p*", ["parents"]),
    ("\\dt+ kecoa_shell.*", ["parents", "children"]),
    ("\\di kecoa_shell.*", ["by_parent", "children"]),
    ("\\dv kecoa_shell.*", ["seen"]),
    ("\\ds kecoa_shell.*", ["numbers"]),
    ("\\dn kecoa_*", ["kecoa_shell"]),
    ("\\d", ["Schema"]),
    ("\\dt", ["Schema"]),
    ("\\dm", ["Schema"]),
    ("\\df lower", ["lower"]),
    ("\\dTS uuid", ["uuid"]),
    ("\\du", ["Role"]),
    ("\\l", ["Owner"]),
    ("\\conninfo", ["database"]),
    ("\\?", ["\\copy", "\\watch"]),
    ("\\h create table", ["sql-createtable.html"]),
)


def test_commands_that_list(url, sql):
    """Each must be a query that the server takes."""
    script = """
        CREATE SCHEMA kecoa_shell;
        CREATE TABLE kecoa_shell.parents (id INT PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x');
        CREATE TABLE kecoa_shell.children (
            id INT PRIMARY KEY, parent INT REFERENCES kecoa_shell.parents (id), CHECK (id > 0));
        CREATE INDEX by_parent ON kecoa_shell.children (parent);
        CREATE VIEW kecoa_shell.seen AS SELECT id FROM kecoa_shell.parents;
        CREATE SEQUENCE kecoa_shell.numbers;
    """
    assert sql(url, stdin=script).returncode == 0
    try:
        arguments = [argument for command, _ in LISTS for argument in ("-c", command, "-c", "\\echo @@@")]
        done = sql(url, "--format", "table", *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        for (command, pieces), shown in zip(LISTS, done.stdout.split("@@@\n"), strict=False):
            for piece in pieces:
                assert piece in shown, (command, shown)
    finally:
        assert sql(url, "-c", "DROP SCHEMA kecoa_shell CASCADE").returncode == 0


def test_nothing_found(url, sql):
    done = sql(url, "-c", "\\d no_such_table")
    assert "no relation named no_such_table" in done.stderr


def test_variables_and_files(url, sql, tmp_path):
    inner = tmp_path / "inner.sql"
    inner.write_text("SELECT :'who' AS who;\n\\echo inner :n\n")
    outer = tmp_path / "outer file.sql"
    outer.write_text(f"\\set n 5\nSELECT :n + 1 AS n\n;\n\\i '{inner}'\n\\set n 6\n\\echo outer :n")
    done = sql(url, "--set", "who=O'Neil", "-f", str(outer))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "n\n6\nwho\nO'Neil\ninner 5\nouter 6\n"


def test_output_and_copy(url, sql, tmp_path):
    data, out = tmp_path / "it's.csv", tmp_path / "out.csv"
    data.write_text('id,name\n1,a\n2,"b, c"\n')
    quoted = str(data).replace("'", "''")
    script = f"""
        CREATE TABLE kecoa_copied (id INT PRIMARY KEY, name TEXT);
        \\copy kecoa_copied FROM '{quoted}' WITH (FORMAT csv, HEADER true)
        \\copy (SELECT id, name FROM kecoa_copied ORDER BY id) TO '{out}' WITH (FORMAT csv)
        \\copy kecoa_copied FROM stdin
3\td
\\.
        \\o {tmp_path / "o.tsv"}
        SELECT count(*) AS n FROM kecoa_copied;
        \\o
        SELECT max(id) AS m FROM kecoa_copied;
        DROP TABLE kecoa_copied;
    """
    done = sql(url, stdin=script)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_text() == '1,a\n2,"b, c"\n'
    assert (tmp_path / "o.tsv").read_text() == "n\n3\n"
    assert done.stdout == "m\n3\n"


REFUSED = (
    ("\\! ls", "not supported"),
    ("\\nonsense", "no command \\nonsense"),
    ("\\pset format xml", "expected one of"),
    ("\\copy t", "neither FROM nor TO"),
    ("\\i /nonexistent/file", "cannot read"),
    ("\\watch x", "expected seconds"),
    ("\\echo 'open", "expected a closing '"),
)


def test_refused_with_what_to_do(dsn, sql):
    done = sql(dsn, "--on-error", "continue", stdin="\n".join(command for command, _ in REFUSED))
    assert done.returncode == 1
    for (command, piece), line in zip(REFUSED, done.stderr.splitlines(), strict=True):
        assert piece in line, command


def test_as_django_calls_psql(dsn, sql):
    parts = kecoa.extensions.parse_dsn(dsn)
    arguments = [
        "-U",
        parts["user"],
        "-h",
        parts["host"],
        "-p",
        parts["port"],
        parts.get("dbname", "postgres"),
    ]
    done = sql(*arguments, "--", stdin="SELECT 1 AS x;", PGPASSWORD=parts.get("password", "x"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\n1\n", "")


def test_memory_stays_small(dsn, environment):
    """Rows are written as they come: 320 MB of them with 300 MB to run in."""
    query = "SELECT g, repeat('x', 800) FROM generate_series(1, 400000) g"
    limited = ["sh", "-c", 'ulimit -v 300000; exec "$@"', "sh", sys.executable, "-m", "kecoa", "sql", dsn]
    for form in ("csv", "table"):
        done = subprocess.run(
            [*limited, "--format", form, "-o", "/dev/null", "-c", query],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert (done.returncode, done.stderr) == (0, "")
