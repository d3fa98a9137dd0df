"""PyMongo's own tests, unedited, on the MongoDB gateway.

The tests ship in PyMongo's source distribution (Apache 2.0); they run on the installed PyMongo, synchronous
and asynchronous, against gateways that are replica sets of one with test commands, on PostgreSQL. bar.json
has the names that pass on such a server of MongoDB's version 8.0, by group; those that need another server,
or none, are not in it. HELD names the groups that kecoa is held to; a group that is not there yet still runs
by hand.

Both halves run without and with authentication, but for what `modes` says of long modules.

They wait most of the time, so they run beside other suites, on servers of their own and with less of the
processors. Tests that count on a time of the test's machine run again, once, when all else is over.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.suites import Counts
from tests.suites.pymongo.left_out import LATER, LEFT_OUT
from tests.suites.pymongo.modes import check, runs
from tests.suites.pymongo.module import Outcome
from tests.suites.pymongo.pool import GATEWAYS, Found, Pool, Settings
from tests.suites.source import CACHE, fetch

if TYPE_CHECKING:
    from tools.testserver import TestServer

VERSION = "4.20.0"
SHA256 = "f773b0aec28687587cdeda490463a82debc4566a4a3620dcc8dada9d2c0a1acd"
BAR = Path(__file__).with_name("bar.json")
# Their tests count in tenths of a second: what fails on a busy machine runs again, once, when the others are done.
TIMED = {
    f"test_{name}.py"
    for name in (
        *("csot", "client", "client_backpressure", "connection_monitoring", "heartbeat_monitoring"),
        *("pooling", "threads", "transactions", "retryable_reads", "retryable_writes", "session"),
        *("transactions_unified", "sessions_unified", "retryable_reads_unified", "retryable_writes_unified"),
        *("monitoring", "discovery_and_monitoring", "server_selection_in_window", "streaming_protocol"),
        *("monitor", "async_cancellation", "cursor"),
    )
}
HELD: tuple[str, ...] = (
    *("client", "handshake", "auth", "command monitoring", "connection monitoring", "timeouts", "concerns"),
    *("comment", "bulk", "crud", "gridfs", "retryable reads", "retryable writes", "sessions", "transactions"),
    *("causal consistency", "database", "collection", "cursor", "types", "collection management", "indexes"),
    *(
        "discovery",
        "collation",
        "versioned api",
        "run command",
        "unified format",
        "asyncio",
        "change streams",
    ),
)
# Seconds of the modules that take longer than others on a quiet machine: the longest begin first.
SECONDS = {
    "test_client_bulk_write.py": 120,
    "test_csot.py": 110,
    "test_retryable_writes.py": 110,
    "test_transactions_unified.py": 60,
    "test_discovery_and_monitoring.py": 60,
    "test_retryable_reads_unified.py": 60,
    "test_retryable_reads.py": 45,
    "test_bulk.py": 40,
    "test_crud_unified.py": 40,
    "test_grid_file.py": 30,
}
# Beside other suites: they have the processors when they want them.
NICENESS = 5

Groups = dict[str, dict[str, dict[str, dict[str, list[str]]]]]  # group, module, when, class: tests


def source() -> Path:
    """The suite's folder, without the sources of the package: the installed one is tested."""
    folder = CACHE / f"pymongo-{VERSION}-tests"
    if not folder.is_dir():
        unpacked = fetch("pymongo", VERSION, SHA256)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            laid = Path(scratch) / "suite"
            shutil.copytree(unpacked / "test", laid / "test")
            shutil.copy(unpacked / "pyproject.toml", laid)
            laid.rename(folder)
    return folder


def read_bar() -> Groups:
    """Return the names that must pass."""
    groups: Groups = json.loads(BAR.read_text())["groups"]
    return groups


def wanted(groups: Groups, module: str, *, authentication: bool) -> Iterator[str]:
    """The names of a module's tests that must pass."""
    which = {"always", "with authentication" if authentication else "without authentication"}
    for modules in groups.values():
        for when in which & modules.get(module, {}).keys():
            for name, tests in modules[module][when].items():
                yield from (f"test/{module}::{name}::{test}" for test in tests)


def is_asynchronous(module: str) -> bool:
    """Whether a module is of PyMongo's asynchronous half."""
    return module.startswith("asynchronous/")


def by_time(modules: Sequence[str]) -> list[str]:
    """Modules, those that take longest first."""
    bar = read_bar()

    def seconds(module: str) -> tuple[int, int]:
        known = SECONDS.get(module.removeprefix("asynchronous/"), 0)
        return -known, -len(list(wanted(bar, module, authentication=True)))

    return sorted(modules, key=seconds)


def outcomes(dsn: str, modules: Sequence[str], settings: Settings) -> Found:
    """Run modules, what is timed once more when it falls short, and hold them to the bar."""
    with Pool(dsn, settings, min(GATEWAYS, len(modules))) as pool:
        pool.start(by_time(modules))
        pool.wait()
        run_again(pool, modules, settings)
    return pool.found


def run_again(pool: Pool, modules: Sequence[str], settings: Settings) -> None:
    """Run once more what a busy machine can spoil; note what falls short then."""
    bar, found = read_bar(), pool.found
    for module in modules:
        names = {
            name
            for name in wanted(bar, module, authentication=settings.authentication)
            if settings.only in name
        }
        is_timed = module.removeprefix("asynchronous/") in TIMED
        again = sorted(
            name
            for name in short_of(names, found)
            if name not in LATER and (is_timed or found.tests.get(name, Outcome()).status == "timeout")
        )
        if again:
            print(f"once more: {', '.join(again)}", flush=True)
            pool.run(module, again)
        found.short |= short_of(names, found)


def short_of(names: Collection[str], found: Found) -> dict[str, str]:
    """Which of these names did not pass, and why."""
    outcomes = {name: found.tests.get(name, Outcome("absent")) for name in names if name not in LEFT_OUT}
    return {
        name: f"{outcome.status}: {outcome.reason.strip()}"
        for name, outcome in sorted(outcomes.items())
        if outcome.status != "passed"
    }


class Run:
    """The groups of HELD, both halves, without and with authentication as `modes` has it, while they run."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        from tools.testserver import TestServer, temporary_folder

        bar = read_bar()
        held = {module: when for group in HELD for module, when in bar[group].items()}
        check(held)
        self.modules = {
            authentication: [module for module in held if runs(module, authentication=authentication)]
            for authentication in (False, True)
        }
        self.settings = {
            authentication: Settings(
                source(), environment, authentication, left_out=LEFT_OUT, niceness=NICENESS
            )
            for authentication in (False, True)
        }
        self.dsn: dict[bool, str] = {}
        self.pools: dict[bool, Pool] = {}
        self.began = time.monotonic()
        with ExitStack() as opened:
            for authentication, settings in self.settings.items():
                server = opened.enter_context(TestServer(Path(opened.enter_context(temporary_folder()))))
                self.dsn[authentication] = server.dsn
                pool = opened.enter_context(Pool(server.dsn, settings))
                self.pools[authentication] = pool
                pool.start(by_time(self.modules[authentication]))
            self._open = opened.pop_all()

    def close(self) -> None:
        """Stop what still runs."""
        self._open.close()

    def finish(self) -> dict[str, Counts]:
        """Wait for the end, when nothing else runs any more; print what falls short."""
        counts = {}
        with self._open:
            for pool in self.pools.values():
                pool.wait()
            print(
                f"PyMongo's suite: {time.monotonic() - self.began:.0f} s until all have run once", flush=True
            )
            for authentication, pool in self.pools.items():
                label = "PyMongo's suite" + (", with authentication" if authentication else "")
                run_again(pool, self.modules[authentication], self.settings[authentication])
                counts[label] = _judge(label, pool.found)
        return counts


def _judge(label: str, found: Found) -> Counts:
    for name, why in found.short.items():
        print(f"{label}: {name}: {LATER.get(name) or why.splitlines()[0][:160]}")
    slowest = sorted(found.seconds.items(), key=lambda item: -item[1])[:8]
    print(f"{label}: " + ", ".join(f"{module} {seconds:.0f} s" for module, seconds in slowest))
    failed = [name for name in found.short if name not in LATER]
    passed = sum(outcome.status == "passed" for outcome in found.tests.values())
    skipped = sum(outcome.status == "skipped" for outcome in found.tests.values())
    return {"passed": passed, "failed": len(failed), "skipped": skipped}


def begin(environment: Mapping[str, str]) -> Run:
    """Begin; see `tests.suites`."""
    return Run(environment)


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run all, beside nothing else."""
    return begin(environment).finish()
