"""A plugin of pytest: writes what happens to each test as a line of JSON, and ends tests that take too long.

A suite that hangs or dies must not take the outcome of the tests before it along, so every line is written
at once. The names of tests to run, those to leave out (they ran before) and the limits come from the
environment, see `module.Runner`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Generator, Iterable
from typing import Any

import pymongo
import pytest

RECORD = open(os.environ["KECOA_RECORD"], "a", buffering=1)
LIMIT = float(os.environ["KECOA_TEST_LIMIT"])
with open(os.environ["KECOA_TESTS_SELECTED"]) as selected:
    NAMES, DONE = map(set, map(json.load(selected).__getitem__, ("names", "done")))
ONLY = os.environ.get("KECOA_ONLY", "")
# What is raised within an event loop leaves the test's task behind: such a process ends, another goes on.
OVER_LIMIT = 70


# Beside other suites it takes what they leave of the processors.
os.nice(int(os.environ.get("KECOA_NICENESS", "0")))

# Some tests go to where a client goes that is told no address.
for client in (pymongo.MongoClient, pymongo.AsyncMongoClient):
    client.HOST, client.PORT = os.environ["DB_IP"], int(os.environ["DB_PORT"])


class TimeLimit(BaseException):
    """The test takes too long; no `except Exception` of the test swallows it."""


class Watch:
    """The test that runs, and when it is to end."""

    name = ""
    deadline: float | None = None


def write(kind: str, **fields: object) -> None:
    RECORD.write(json.dumps({"kind": kind, **fields}) + "\n")


def over(*_: object) -> None:
    if Watch.deadline is None:
        return
    write("limit", name=Watch.name)
    if "test/asynchronous/" in Watch.name:
        os._exit(OVER_LIMIT)
    Watch.deadline = time.monotonic() + 3  # once more, should a handler in the test have swallowed it
    raise TimeLimit(f"over the limit of {LIMIT:g} s")


def watch() -> None:
    while True:
        time.sleep(0.2)
        if Watch.deadline is not None and time.monotonic() > Watch.deadline:
            os.kill(os.getpid(), signal.SIGUSR2)  # the tests use SIGALRM and SIGUSR1


signal.signal(signal.SIGUSR2, over)
threading.Thread(target=watch, daemon=True).start()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanted = [item for item in items if ONLY in item.nodeid and (not NAMES or item.nodeid in NAMES)]
    write("collected", names=[item.nodeid for item in wanted])
    items[:] = [item for item in wanted if item.nodeid not in DONE]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    Watch.name = item.nodeid
    write("start", name=item.nodeid)
    began = time.monotonic()
    result = yield
    write("end", name=item.nodeid, seconds=round(time.monotonic() - began, 3))
    return result


def limited() -> Generator[None, Any, Any]:
    Watch.deadline = time.monotonic() + LIMIT
    try:
        return (yield)
    finally:
        Watch.deadline = None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup() -> Generator[None, Any, Any]:
    return (yield from limited())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call() -> Generator[None, Any, Any]:
    return (yield from limited())


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    reason = ""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    elif report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = crash.message if crash else str(report.longrepr)
    # A test that is meant to fail counts as skipped; a part of a test skips nothing.
    outcome = "skipped" if hasattr(report, "wasxfail") else report.outcome
    part = type(report).__name__ != "TestReport"
    write("report", name=report.nodeid, outcome=outcome, part=part, reason=reason[:1500])


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        write("broken", name=report.nodeid, reason=str(report.longrepr)[-1500:])
    elif report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        write("skipped", name=report.nodeid, reason=str(reason)[:300])


def _contexts() -> Iterable[Any]:
    import test  # type: ignore[import-not-found]  # the suite's own package
    import test.asynchronous  # type: ignore[import-not-found]

    return test.client_context, test.asynchronous.async_client_context


def pytest_sessionfinish() -> None:
    for context in _contexts():
        if context.client is not None:
            write(
                "server",
                version=str(context.version),
                replica_set=context.replica_set_name,
                auth=bool(context.auth_enabled),
                test_commands=bool(context.test_commands_enabled),
            )
    write("finished")
