"""One test module of the suite in a process of its own, however it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PLUGIN = Path(__file__).with_name("recorder.py")
TEST_LIMIT = 60  # seconds a test
MOST_PROCESSES = 6  # of a module whose tests hang or die


@dataclass
class Outcome:
    """What became of a test: passed, failed, skipped, timeout or absent."""

    status: str = "passed"
    reason: str = ""
    seconds: float = 0


@dataclass
class Results:
    """What became of a module's tests, and what the suite says of the server."""

    tests: dict[str, Outcome] = field(default_factory=dict)
    server: dict[str, object] = field(default_factory=dict)


@dataclass
class Runner:
    """Runs modules of the suite in `suite` with `environment`; `scratch` is a folder of its own.

    `left_out` names tests that don't run: what fails in one, such as a signal that comes late, can break another.
    """

    suite: Path
    environment: Mapping[str, str]
    scratch: Path
    only: str = ""
    left_out: Collection[str] = ()
    process: subprocess.Popen[bytes] | None = None
    is_stopped: bool = False

    def stop(self) -> None:
        """End the module that runs now, from another thread; what runs later ends at once."""
        self.is_stopped = True
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def run(self, path: str, names: Collection[str] = ()) -> Results:
        """Run every test of the module at `path`, or those of `names`, in as many processes as it takes."""
        record, selected, log = (self.scratch / name for name in ("record", "selected", "log"))
        results, collected = Results(), [path]
        for _ in range(0 if self.is_stopped else MOST_PROCESSES):
            record.write_text("")
            which = {"names": [*names], "done": [*results.tests, *self.left_out]}
            selected.write_text(json.dumps(which))
            before = len(results.tests)
            self._process(path, record, selected, log)
            names, finished = self._read(record, results)
            collected = names or collected
            if finished or self.is_stopped or len(results.tests) == before:
                break
        for name in set(collected) - set(self.left_out):
            log_end = log.read_text(errors="replace")[-500:] if log.exists() else ""
            results.tests.setdefault(name, Outcome("absent", log_end))
        return results

    def _process(self, path: str, record: Path, selected: Path, log: Path) -> None:
        environment = {
            **self.environment,
            "PYTHONPATH": str(PLUGIN.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "KECOA_RECORD": str(record),
            "KECOA_TESTS_SELECTED": str(selected),
            "KECOA_TEST_LIMIT": str(TEST_LIMIT),
            "KECOA_ONLY": self.only,
        }
        command = [
            *(sys.executable, "-m", "pytest", "-p", PLUGIN.stem, "-p", "no:cacheprovider", "-o", "addopts="),
            *(
                "-q",
                "--tb=short",
                "--rootdir",
                str(self.suite),
                "-c",
                str(self.suite / "pyproject.toml"),
                path,
            ),
        ]
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=self.suite,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # No session of its own: Linux shares processors out by session, and niceness would say nothing.
                process_group=0,
            )
            self.process = process
            try:
                _wait(process, record)
            finally:
                # With what a test forked and left behind.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                self.process = None

    def _read(self, record: Path, results: Results) -> tuple[list[str], bool]:
        """Take over what the plugin wrote; return the names that it collected, and whether it came to the end."""
        collected: list[str] = []
        finished, running = False, None
        for line in record.read_text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # cut off by the end of the process
            kind, name = event.pop("kind"), event.get("name", "")
            if kind == "collected":
                collected = event["names"]
            elif kind == "start":
                running = name
                results.tests[name] = Outcome()
            elif kind == "end":
                running = None
                results.tests[name].seconds = event.get("seconds", 0)
            elif kind == "limit":
                results.tests[name] = Outcome("timeout", f"over the limit of {TEST_LIMIT} s")
            elif kind == "report":
                _note(results.tests.setdefault(name, Outcome()), event)
            elif kind in ("broken", "skipped"):
                results.tests[name] = Outcome("failed" if kind == "broken" else kind, event["reason"])
            elif kind == "server":
                results.server = event
            finished = finished or kind == "finished"
        if running is not None and results.tests[running].status == "passed":
            results.tests[running] = Outcome("failed", "the process ended within the test")
        return collected, finished


def _wait(process: subprocess.Popen[bytes], record: Path) -> None:
    """Wait for the end, or until nothing was recorded for so long that no exception can reach the test."""
    size, since = 0, time.monotonic()
    while process.poll() is None:
        if record.stat().st_size != size:
            size, since = record.stat().st_size, time.monotonic()
        if time.monotonic() - since > 2 * TEST_LIMIT + 30:
            return
        time.sleep(0.05)


def _note(outcome: Outcome, event: Mapping[str, object]) -> None:
    reason = str(event["reason"])
    if event["outcome"] == "failed" and outcome.status in ("passed", "skipped"):
        outcome.status, outcome.reason = "failed", reason
    elif event["outcome"] == "skipped" and outcome.status == "passed" and not event["part"]:
        outcome.status, outcome.reason = "skipped", reason
