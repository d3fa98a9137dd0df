"""Inside the process of psycopg2's suite: run the tests, write the outcome of each.

usage: child.py RESULTS [TEST ...]

Runs in the folder of psycopg2's sources, whose package `tests` it imports. A TEST is a dotted name below
that package ("test_connection.ConnectionTests"); all run when none is named. RESULTS becomes a JSON object:
`module`, the name of what `import psycopg2` gave, and `tests`, outcome and reason by test.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path

# These two hand a raw libpq pointer to the system's libpq through ctypes.
NEEDS_LIBPQ = {"test_pgconn_ptr", "test_pgresult_ptr"}


class Recorder(unittest.TestResult):
    """Keeps one outcome a test: the worst of its sub-tests."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: dict[str, dict[str, str]] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.outcomes.setdefault(test.id(), {"outcome": "pass", "reason": ""})

    def _note(self, test: unittest.TestCase, outcome: str, reason: str) -> None:
        self.outcomes[test.id()] = {"outcome": outcome, "reason": reason}

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note(test, "skip", reason)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self._note(test, "fail", self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self._note(test, "error", self.errors[-1][1])

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
        if err is not None:
            self._note(test, "fail", str(err[1]))  # type: ignore[index]


def runnable(suite: unittest.TestSuite) -> unittest.TestSuite:
    """Return the suite without the tests that need libpq itself."""
    kept = unittest.TestSuite()
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            kept.addTest(runnable(item))
        elif item.id().rsplit(".", 1)[-1] not in NEEDS_LIBPQ:
            kept.addTest(item)
    return kept


def main(results: str, *names: str) -> None:
    sys.path.insert(0, os.getcwd())
    if names:
        suite = unittest.defaultTestLoader.loadTestsFromNames([f"tests.{name}" for name in names])
    else:
        import tests

        suite = tests.test_suite()
    recorder = Recorder()
    runnable(suite).run(recorder)
    import psycopg2

    module = "kecoa" if "kecoa" in psycopg2.__version__ else psycopg2.__name__
    report = {"module": module, "tests": recorder.outcomes}
    Path(results).write_text(json.dumps(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
