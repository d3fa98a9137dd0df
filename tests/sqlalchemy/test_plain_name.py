"""The plain name `cockroachdb` beside another package that has registered it, whichever is found first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy

THEIRS = """
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2


class Theirs(PGDialect_psycopg2):
    name = "cockroachdb"
    supports_statement_cache = True


from alembic.ddl.postgresql import PostgresqlImpl


class TheirImpl(PostgresqlImpl):
    __dialect__ = "cockroachdb"
"""
PROGRAM = """
import sys
from importlib.metadata import entry_points
from sqlalchemy import Column, Index, Integer, MetaData, Table, exc
from sqlalchemy.dialects import registry
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

names = [found.value for found in entry_points(group="sqlalchemy.dialects", name="cockroachdb")]
plain = make_url("cockroachdb://h/d").get_dialect()
ours = make_url("cockroachdb+kecoa://h/d").get_dialect()
table = Table("t", MetaData(), Column("id", Integer, primary_key=True), cockroachdb_locality="GLOBAL")
Index("i", table.c.id, cockroachdb_inverted=True)
try:
    Table("p", MetaData(), postgresql_locality="x")
    leaked = "postgresql_locality is taken"
except exc.ArgumentError:
    leaked = ""
print(names[0].partition(":")[0].partition(".")[0], plain.__module__, ours.__module__, leaked)
print("LOCALITY GLOBAL" in str(CreateTable(table).compile(dialect=ours())))
from alembic.migration import MigrationContext
for dialect in (ours, plain):
    print(type(MigrationContext.configure(dialect=dialect()).impl).__name__)
"""


def run(folder: Path, path: list[str]) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def install(folder: Path, distribution: str, name: str, value: str) -> str:
    """Make what an installer would leave of a package that registers a dialect by the plain name."""
    place = folder / distribution
    metadata = place / f"{distribution}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[sqlalchemy.dialects]\n{name} = {value}\n")
    return str(place)


def test_without_another_package_the_name_is_kecoas(tmp_path: Path) -> None:
    assert run(tmp_path, []) == [
        "kecoa",
        "kecoa.sqlalchemy.cockroachdb.kecoa",
        "kecoa.sqlalchemy.cockroachdb.kecoa",
        "True",
        "CockroachDBImpl",
        "CockroachDBImpl",
    ]


@pytest.mark.parametrize("first", ["theirs", "kecoa"])
def test_the_name_is_another_packages_where_that_is_installed(tmp_path: Path, first: str) -> None:
    theirs = install(tmp_path, "theirs", "cockroachdb", "their_dialect:Theirs")
    (Path(theirs) / "their_dialect.py").write_text(THEIRS)
    # What is found first: a path that names kecoa's entry point once more, before theirs.
    again = install(tmp_path, "again", "cockroachdb", "kecoa.sqlalchemy.cockroachdb.plain:dialect")
    found = run(tmp_path, [theirs] if first == "theirs" else [again, theirs])
    assert found[0] == ("their_dialect" if first == "theirs" else "kecoa")
    theirs_and_ours = ["their_dialect", "kecoa.sqlalchemy.cockroachdb.kecoa", "True"]
    assert found[1:] == [*theirs_and_ours, "CockroachDBImpl", "TheirImpl"]


def test_a_package_that_cannot_be_imported_is_no_hindrance(tmp_path: Path) -> None:
    theirs = install(tmp_path, "theirs", "cockroachdb", "no_such_module:Theirs")
    program = "import kecoa.sqlalchemy.cockroachdb.kecoa as k; print(k.dialect.name)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": theirs},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("cockroachdb", 0), done.stderr


def test_the_module_has_the_name_that_its_exceptions_give():
    code = (
        "import sys, kecoa\n"
        "if sys.argv[1] == 'alias':\n    kecoa.install_as_psycopg2()\n"
        "from sqlalchemy import create_engine\n"
        "from sqlalchemy.ext.asyncio import create_async_engine\n"
        "url = 'postgresql+kecoa://localhost/x'\n"
        "plain = create_engine(url).dialect.dbapi\n"
        "adapted = create_async_engine(url).dialect.dbapi\n"
        "print(plain.__name__, adapted.exceptions_module.__name__, plain.Error.__module__)\n"
    )
    for argument, name in (("none", "kecoa"), ("alias", "psycopg2")):
        done = subprocess.run(
            [sys.executable, "-c", code, argument], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [name] * 3


@pytest.mark.parametrize("url", ["postgres://maya:hunter2@h/d", "cockroach://h/d", "postgres+kecoa://h/d"])
def test_names_that_are_none_say_what_to_write(url):
    with pytest.raises(sqlalchemy.exc.NoSuchModuleError, match=r"write postgresql\+kecoa://") as raised:
        sqlalchemy.create_engine(url)
    assert "hunter2" not in str(raised.value)
