"""The peers' own test suites, unedited and downloaded by name, and the bars that kecoa is held to.

`tools/run_tests.py` runs them after Rust's and Python's tests, beside the same PostgreSQL. A suite is a
module or package in this folder, named in SUITES, with

    run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]

which runs it and prints what falls short, a line a test. The keys are labels for the counts printed at the
end ("psycopg2's suite"); a suite that runs in two ways gives two. `failed` counts what falls short of the
suite's bar, a missing test or another number of tests than expected included: zero is a pass. `server` is
`tools.testserver.TestServer`, started; a suite makes databases of its own there, and leaves no other object
behind. `environment` is what its processes are to be started with: os.environ and the names of the server.
SuiteError means that it could not be run, and fails the tests.

A suite of BESIDE waits more than it works, and has

    begin(environment: Mapping[str, str]) -> Beside

which begins on servers of its own, so that it runs beside others; `finish` is called when these are over.

Sources come from `tests.suites.source.fetch`, which keeps them under .cache: none of a peer's code is part
of this repository. A bar is data beside its suite.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tools.testserver import TestServer

SUITES = ("psycopg2", "psycopg2_endpoint", "sqlalchemy", "cockroachdb_sqlalchemy", "pymongo")

# Those that run beside others.
BESIDE = ("pymongo",)

Counts = dict[str, int]  # passed, failed, skipped


class SuiteError(Exception):
    """A suite can't be run; says why."""


class Beside(Protocol):
    """A suite that has begun."""

    def finish(self) -> dict[str, Counts]:
        """Wait for its end, print what falls short, return the counts by label."""

    def close(self) -> None:
        """Stop what still runs."""


def begin(name: str, environment: Mapping[str, str]) -> Beside:
    """Begin a suite of BESIDE."""
    begun: Beside = importlib.import_module(f"tests.suites.{name}").begin(environment)
    return begun


def run(name: str, server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run a suite of SUITES; return its counts by label."""
    counts: dict[str, Counts] = importlib.import_module(f"tests.suites.{name}").run(server, environment)
    return counts
