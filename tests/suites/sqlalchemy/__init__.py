"""SQLAlchemy's own tests, unedited, on kecoa: below its psycopg2 dialect, and below the dialect postgresql+kecoa.

They ship in SQLAlchemy's source distribution and run on an installed, compiled SQLAlchemy of the same version.
Three parts of them ask something of a driver: (a) the suite for dialects, (b) the tests of PostgreSQL, (c) those
of the engine and of SQL that need a database. `bars.json` says which parts run how, in legs, and what each has to
give: the number of tests collected, the number passed, and which tests fail for a reason that is no fault, with
that reason. A listed test that passes falls short as well: the list is to be true.

Tests are gated on the driver's *name*: a dialect named kecoa silently collects a quarter of (b). Hence the leg in
which the same dialect goes by psycopg2's name (`plugins/kecoa_as_psycopg2.py`), and the counts.

Some tests look at all prepared transactions of a server, so each process that runs beside another has a server
of its own.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.suites import Counts, SuiteError
from tests.suites.source import CACHE, fetch

if TYPE_CHECKING:
    from tools.testserver import TestServer

HERE = Path(__file__).resolve().parent
SHA256 = {
    "2.1.9": "d700a8b2edfb26282a470333d6bc4a454c4acda4d201a3bea7b72fa76c217d28",
    "2.0.58": "2acdcec9836b7c1514a9ad426e7731669a1186d96481a2e82c50bf2aebb49061",
}
PARTS = {
    "a": ["test/dialect/test_suite.py"],
    "b": ["test/dialect/postgresql"],
    "c": ["-m", "backend and not memory_intensive and not timing_intensive", "test/engine", "test/sql"],
}
# How a leg reaches kecoa: the dialect's name in the URL, the plugins of pytest, and whether psycopg2 is kecoa.
WAYS: dict[str, tuple[str, list[str], bool]] = {
    "psycopg2": ("postgresql+psycopg2", [], True),
    "real-psycopg2": ("postgresql+psycopg2", [], False),
    "kecoa": ("postgresql+kecoa", [], False),
    "kecoa-as-psycopg2": ("postgresql+kecoa", ["kecoa_as_psycopg2"], True),
    "kecoa-async": ("postgresql+kecoa_async", [], False),
}


class Leg(NamedTuple):
    """A part of a SQLAlchemy's tests, run in one way; what it has to give, and its time on a quiet machine."""

    sqlalchemy: str
    part: str
    way: str
    collected: int
    passed: int
    seconds: int
    known: dict[str, str]

    @property
    def name(self) -> str:
        """Names the leg in output, files and databases."""
        return f"{self.sqlalchemy}-{self.way}-{self.part}"


class Found(NamedTuple):
    """What a leg gave: the outcome of each test, and pytest's words where there are none."""

    outcomes: dict[str, str]
    output: str
    seconds: float


def legs() -> list[Leg]:
    """Return the legs of bars.json."""
    bars = json.loads((HERE / "bars.json").read_text(encoding="utf-8"))
    known: dict[str, dict[str, str]] = bars["known"]
    return [Leg(**{**leg, "known": known.get(leg.get("known", ""), {})}) for leg in bars["legs"]]


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run the legs, two or more at a time; print what falls short."""
    chosen = legs()
    for version in sorted({leg.sqlalchemy for leg in chosen}):
        fetch("sqlalchemy", version, SHA256[version])
        installed(version)
    counts: dict[str, Counts] = {}
    for leg, found in run_legs(chosen, server, environment):
        tally, short = judge(leg, found)
        print(
            f"  {leg.name}: {tally['passed']} passed, {tally['failed']} short, {found.seconds:.0f} s",
            flush=True,
        )
        for line in short:
            print(f"    {line}", flush=True)
        label = f"SQLAlchemy {leg.sqlalchemy}, {leg.way}"
        total = counts.setdefault(label, {"passed": 0, "failed": 0, "skipped": 0})
        for key, number in tally.items():
            total[key] += number
    return dict(sorted(counts.items()))


def judge(leg: Leg, found: Found) -> tuple[Counts, list[str]]:
    """Hold what a leg gave against its bar; return the counts and what falls short, a line each."""
    short = []
    for test, outcome in sorted(found.outcomes.items()):
        if outcome == "failed" and test not in leg.known:
            short.append(f"{test}: failed")
    for test, reason in leg.known.items():
        if found.outcomes.get(test) != "failed":
            short.append(
                f"{test}: expected to fail ({reason}), found {found.outcomes.get(test, 'no such test')}"
            )
    tally = Counter(found.outcomes.values())
    for what, expected, number in (
        ("collected", leg.collected, len(found.outcomes)),
        ("passed", leg.passed, tally["passed"]),
    ):
        if number != expected:
            short.append(f"expected {expected} tests {what}, found {number}")
    if not found.outcomes or (short and len(short) < 4):
        short += [line for line in found.output.splitlines() if not line.startswith("SKIPPED")][-40:]
    return {"passed": tally["passed"], "failed": len(short), "skipped": tally["skipped"]}, short


def run_legs(
    chosen: list[Leg], server: TestServer, environment: Mapping[str, str]
) -> Iterator[tuple[Leg, Found]]:
    """Run the legs beside each other, the longest first; yield each when it has ended."""
    waiting: queue.SimpleQueue[Leg] = queue.SimpleQueue()
    for leg in sorted(chosen, key=lambda leg: -leg.seconds):
        waiting.put(leg)
    done: queue.SimpleQueue[tuple[Leg, Found] | BaseException] = queue.SimpleQueue()

    def work(own: TestServer) -> None:
        try:
            while True:
                leg = waiting.get_nowait()
                done.put((leg, run_leg(leg, own, environment)))
        except queue.Empty:
            pass
        except BaseException as error:
            done.put(error)

    with ExitStack() as stack:
        workers = min(len(chosen), max(2, os.cpu_count() or 2), 4)
        servers = [server, *(another_server(stack) for _ in range(workers - 1))]
        threads = [threading.Thread(target=work, args=(own,), daemon=True) for own in servers]
        for thread in threads:
            thread.start()
        for _ in chosen:
            ended = done.get()
            if isinstance(ended, BaseException):
                raise ended
            yield ended
        for thread in threads:
            thread.join()


def another_server(stack: ExitStack) -> TestServer:
    """Start another PostgreSQL, which `stack` stops."""
    from tools.testserver import TestServer, temporary_folder

    return stack.enter_context(TestServer(Path(stack.enter_context(temporary_folder()))))


def run_leg(leg: Leg, server: TestServer, environment: Mapping[str, str]) -> Found:
    """Run one leg in a database of its own."""
    dialect, plugins, aliased = WAYS[leg.way]
    database = "kecoa_" + leg.name.replace("-", "_").replace(".", "_")
    paths = [str(HERE / "plugins"), str(installed(leg.sqlalchemy)), environment.get("PYTHONPATH", "")]
    if aliased:
        paths.insert(0, alias_folder())
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        make_database(server.dsn, database)
        try:
            done = subprocess.run(
                [
                    # -s: the installed SQLAlchemy, which has its extensions compiled, not that in the folder.
                    *(sys.executable, "-s", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                    *(word for plugin in plugins for word in ("-p", plugin)),
                    *("--maxfail", "100", "--junitxml", str(report)),
                    *("--dburi", f"{dialect}://scott:tiger@127.0.0.1:{server.port}/{database}"),
                    *PARTS[leg.part],
                ],
                cwd=fetch("sqlalchemy", leg.sqlalchemy, SHA256[leg.sqlalchemy]),
                env={
                    **{key: value for key, value in environment.items() if not key.startswith("PYTEST_")},
                    # SQLAlchemy's conftest brings the only plugin that is needed.
                    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                },
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
            return Found(
                outcomes_of(report) if report.exists() else {},
                done.stdout + done.stderr,
                time.monotonic() - started,
            )
        finally:
            drop_database(server.dsn, database)


def outcomes_of(report: Path) -> dict[str, str]:
    """Return the outcome of each test of pytest's report, by its name without the database's."""
    outcomes: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        # SQLAlchemy puts driver and version into the class's name: AnyTest_postgresql+kecoa_18_6.
        place, _, group = (
            str(case.get("classname")).replace("+", "_").partition("_postgresql_")[0].rpartition(".")
        )
        name = f"{place}.{group}::{case.get('name')}"
        tags = {child.tag for child in case}
        found = "failed" if tags & {"failure", "error"} else "skipped" if "skipped" in tags else "passed"
        # A test may end twice: its own outcome and its teardown's.
        outcomes[name] = "failed" if "failed" in (found, outcomes.get(name)) else found
    return outcomes


def installed(version: str) -> Path:
    """Return a folder with this SQLAlchemy in it, which is installed there if need be."""
    folder = CACHE / f"installed-sqlalchemy-{version}-{sys.implementation.cache_tag}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
                    *("--no-deps", "--target", scratch, f"sqlalchemy=={version}"),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise SuiteError(f"pip could not install SQLAlchemy {version}:\n{done.stderr.strip()}")
            ready = folder.with_suffix(".new")
            os.rename(scratch, ready)
            os.makedirs(scratch)  # for TemporaryDirectory to take away
            ready.rename(folder)
    return folder


def alias_folder() -> str:
    """The folder whose sitecustomize answers psycopg2 with kecoa."""
    import kecoa._alias

    return str(Path(kecoa._alias.__file__).parent)


def make_database(dsn: str, name: str) -> None:
    """Make a database as SQLAlchemy's notes on its tests ask for it, and its superuser scott."""
    administer(
        dsn,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        "DO $$ BEGIN CREATE ROLE scott SUPERUSER LOGIN PASSWORD 'tiger';"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"CREATE DATABASE {name} OWNER scott ENCODING 'UTF8' TEMPLATE template0",
        f"ALTER DATABASE {name} SET default_text_search_config = 'pg_catalog.english'",
    )
    administer(
        f"{dsn} dbname={name}",
        "CREATE SCHEMA test_schema",
        "CREATE SCHEMA test_schema_2",
        "CREATE EXTENSION hstore",
        "CREATE EXTENSION citext",
        "CREATE EXTENSION btree_gist",
        # Where the machine has no such locale. The tests name it and sort nothing by it.
        "CREATE COLLATION IF NOT EXISTS pg_catalog.\"en_US\" (provider = builtin, locale = 'C.UTF-8')",
    )


def drop_database(dsn: str, name: str) -> None:
    """Take away what `make_database` made."""
    administer(
        dsn,
        f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
        # Another leg may still have the role.
        "DO $$ BEGIN DROP ROLE scott; EXCEPTION WHEN dependent_objects_still_exist THEN NULL; END $$",
    )


def administer(dsn: str, *statements: str) -> None:
    """Run statements, each by itself."""
    import psycopg2

    conn: Any = psycopg2.connect(dsn)
    conn.autocommit = True
    for statement in statements:
        conn.cursor().execute(statement)
    conn.close()
