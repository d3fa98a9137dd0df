"""Run pytest on the installed package: parts of tests/ beside each other, each on a PostgreSQL of its own.

A part is a folder or a file of tests/, run by one process in pytest's order. Most tests wait for a server or
for a process that they started: one part alone leaves half of two processors idle. What measures time within
narrow bounds runs when all else is over, beside nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testserver import TestServer, temporary_folder

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".cache" / "python-tests"
# Half of a part's time is waiting.
LANES = 3

# What asserts that something took less than a moment.
ALONE = (
    "tests/mongo/test_limits.py",
    "tests/test_package.py",
)
# The parts that take longest, in the order in which they begin.
LONGEST = ("docs", "local", "parity", "dbapi", "mongo", "tls", "e2e", "aio", "sqlalchemy", "types")

Counts = dict[str, int]  # passed, failed, skipped


@dataclass
class Running:
    """A part that runs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    began: float


def run(environment: Mapping[str, str], arguments: Sequence[str]) -> Counts:
    """Run all tests; those that pytest's `arguments` choose, if there are any, in one process."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    if arguments:
        return pytest("chosen", arguments, environment)
    counts = beside_each_other(environment)
    print("\nTests that measure time:", flush=True)
    for key, number in pytest("alone", ALONE, environment).items():
        counts[key] += number
    return counts


def pytest(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Counts:
    """Run pytest beside nothing else, its output shown as it comes."""
    status = subprocess.run(command(name, arguments), cwd=ROOT, env=environment, check=False).returncode
    return counted(name, status)


def command(name: str, arguments: Sequence[str]) -> list[str]:
    """How pytest is started for a part, and reports."""
    return [sys.executable, "-m", "pytest", "-q", f"--junitxml={SCRATCH / name}.xml", *arguments]


def parts() -> list[str]:
    """The parts of tests/, those that take longest first: whatever pytest finds is in one of them."""
    found = sorted(
        path.name
        for path in (ROOT / "tests").iterdir()
        if (path.name.startswith("test_") and path.suffix == ".py")
        or (path.is_dir() and next(path.rglob("test_*.py"), None))
    )
    return sorted(found, key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))


def beside_each_other(environment: Mapping[str, str]) -> Counts:
    """Run the parts in lanes; print the output of each when it has ended."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    waiting = [name for name in parts() if f"tests/{name}" not in ALONE]
    with ExitStack() as opened:
        lanes = [
            dict(environment),
            *(opened.enter_context(another_server(environment)) for _ in range(LANES - 1)),
        ]
        running: list[Running | None] = [None] * LANES
        opened.callback(lambda: [one.process.terminate() for one in running if one is not None])
        while waiting or any(running):
            for lane, one in enumerate(running):
                if one is not None and (status := one.process.poll()) is not None:
                    print(f"\ntests/{one.name}, {time.monotonic() - one.began:.0f} s:", flush=True)
                    print(one.log.read_text(errors="replace").strip(), flush=True)
                    for key, number in counted(one.name, status).items():
                        counts[key] += number
                    running[lane] = one = None
                if one is None and waiting:
                    running[lane] = begin(waiting.pop(0), lanes[lane])
            time.sleep(0.1)
    return counts


def begin(name: str, environment: Mapping[str, str]) -> Running:
    """Start pytest on a part."""
    log = SCRATCH / f"{name}.log"
    left_out = [f"--ignore={path}" for path in ALONE]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(name, [*left_out, f"tests/{name}"]),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Running(name, process, log, time.monotonic())


@contextmanager
def another_server(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start another PostgreSQL; give the environment in which tests find it."""
    with temporary_folder() as folder, TestServer(Path(folder)) as server:
        yield {**environment, "KECOA_TEST_DSN": server.dsn}


def counted(name: str, status: int) -> Counts:
    """Return the counts of a part's report."""
    report = SCRATCH / f"{name}.xml"
    if not report.exists():
        return {"passed": 0, "failed": 1, "skipped": 0}
    suite = next(ElementTree.parse(report).iter("testsuite"))
    total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    if status not in (0, 1):
        # Also where nothing was collected: a part without tests is one that was not found.
        failed = max(failed, 1)
    return {"passed": total - skipped - failed, "failed": failed, "skipped": skipped}
