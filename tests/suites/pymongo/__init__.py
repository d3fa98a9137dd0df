"""PyMongo's own tests, unedited, on the MongoDB gateway.

The tests ship in PyMongo's source distribution (Apache 2.0); they run on the installed PyMongo, synchronous
and asynchronous, against gateways that are replica sets of one with test commands, on PostgreSQL. bar.json
has the names that pass on such a server of MongoDB's version 8.0, by group; those that need another server,
or none, are not in it. HELD names the groups that kecoa is held to; a group that is not there yet still runs
by hand. Tests that count on a time of the test's machine run again, once, when they fail.
"""

from __future__ import annotations

import json
import queue
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.suites import Counts
from tests.suites.pymongo import gateway
from tests.suites.pymongo.left_out import LATER, LEFT_OUT
from tests.suites.pymongo.module import Outcome, Runner
from tests.suites.source import CACHE, fetch

if TYPE_CHECKING:
    from tools.testserver import TestServer

VERSION = "4.20.0"
SHA256 = "f773b0aec28687587cdeda490463a82debc4566a4a3620dcc8dada9d2c0a1acd"
BAR = Path(__file__).with_name("bar.json")
# Most tests wait, so that more gateways than processors pay.
GATEWAYS = 6
# Their tests count in tenths of a second: what fails on a busy machine runs again, once, when the others are done.
TIMED = {
    f"test_{name}.py"
    for name in (
        *("csot", "client", "client_backpressure", "connection_monitoring", "heartbeat_monitoring"),
        *("pooling", "threads", "transactions", "retryable_reads", "retryable_writes", "session"),
        "monitoring",
    )
}
# Some clients of these modules are made without an address.
DEFAULT_PORT = 27017
AT_DEFAULT_PORT = {"test_retryable_reads.py", "test_retryable_writes.py"}
HELD: tuple[str, ...] = (
    *("client", "handshake", "auth", "command monitoring", "connection monitoring", "timeouts", "concerns"),
    "comment",
)

Waiting = queue.SimpleQueue[str]
Groups = dict[str, dict[str, dict[str, dict[str, list[str]]]]]  # group, module, when, class: tests


@dataclass
class Found:
    """What a run found: the outcome by test, and what falls short of the bar with the reason."""

    tests: dict[str, Outcome] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)


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


def outcomes(
    dsn: str,
    environment: Mapping[str, str],
    modules: Sequence[str],
    *,
    authentication: bool,
    only: str = "",
    compressors: str = "",
) -> Found:
    """Run modules on gateways of their own, and hold them to the bar."""
    bar, found = read_bar(), Found()
    size = {module: len(list(wanted(bar, module, authentication=authentication))) for module in modules}
    waiting: Waiting = queue.SimpleQueue()
    at_default_port: Waiting = queue.SimpleQueue()
    for module in sorted(modules, key=lambda module: -size[module]):
        is_there = module.removeprefix("asynchronous/") in AT_DEFAULT_PORT
        (at_default_port if is_there else waiting).put(module)
    failures: list[BaseException] = []
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as gateways:
        runners: list[Runner] = []
        workers = []
        for number in range(min(GATEWAYS, len(modules))):
            database = gateway.make_database(dsn, f"kecoa_mongo_{number}")
            folder = Path(scratch) / str(number)
            folder.mkdir()
            port = gateway.free_port(DEFAULT_PORT) if number == 0 else 0
            home = folder / "home"
            here = gateway.start(database, home, environment, authentication=authentication, port=port)
            gateways.enter_context(here)
            variables = {**environment, **gateway.variables(here, authentication=authentication)}
            for name in ("CI", "TEST_LOAD_BALANCER"):
                variables.pop(name, None)
            if compressors:
                variables["COMPRESSORS"] = compressors
            runners.append(Runner(source(), variables, folder, only, LEFT_OUT))
            queues = [at_default_port, waiting] if number == 0 else [waiting]
            workers.append(threading.Thread(target=_work, args=(runners[-1], queues, found, failures)))
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failures:
            raise failures[0]
        for module in modules:
            names = {name for name in wanted(bar, module, authentication=authentication) if only in name}
            again = sorted(_short(names, found))
            if again and module.removeprefix("asynchronous/") in TIMED:
                print(f"once more: {', '.join(again)}", flush=True)
                gateway.clean(runners[0].environment)
                found.tests |= runners[0].run(f"test/{module}", again).tests
            found.short |= _short(names, found)
    return found


def _short(names: Collection[str], found: Found) -> dict[str, str]:
    """Which of these names did not pass, and why."""
    outcomes = {name: found.tests.get(name, Outcome("absent")) for name in names if name not in LEFT_OUT}
    return {
        name: f"{outcome.status}: {outcome.reason.strip()}"
        for name, outcome in sorted(outcomes.items())
        if outcome.status != "passed"
    }


def _work(runner: Runner, queues: list[Waiting], found: Found, failures: list[BaseException]) -> None:
    while True:
        waiting = next((waiting for waiting in queues if not waiting.empty()), None)
        if waiting is None:
            return
        try:
            module = waiting.get_nowait()
        except queue.Empty:
            continue
        try:
            gateway.clean(runner.environment)
            found.tests |= runner.run(f"test/{module}").tests
        except BaseException as error:
            failures.append(error)
            return


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run the groups of HELD, both halves, without and with authentication."""
    bar = read_bar()
    modules = [module for group in HELD for module in bar[group]]
    counts = {}
    for authentication in (False, True):
        label = "PyMongo's suite" + (", with authentication" if authentication else "")
        found = outcomes(server.dsn, environment, modules, authentication=authentication)
        for name, why in found.short.items():
            print(f"{label}: {name}: {LATER.get(name) or why.splitlines()[0][:300]}")
        failed = found.short.keys() - LATER.keys()
        passed = sum(outcome.status == "passed" for outcome in found.tests.values())
        skipped = sum(outcome.status == "skipped" for outcome in found.tests.values())
        counts[label] = {"passed": passed, "failed": len(failed), "skipped": skipped}
    return counts
