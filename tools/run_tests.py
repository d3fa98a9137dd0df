#!/usr/bin/env python3
"""Run all tests, Rust, Python and the peers' suites, beside one PostgreSQL; print the counts.

usage: run_tests.py [--only rust|python|suites] [--suite NAME] [pytest argument ...]

The peers' suites are modules of tests/suites, whose docstring says what one has to offer; a new one is named
in SUITES there, and nothing changes here. --suite runs one of them, and may be given more than once.
Python's tests run in lanes, as python_tests.py says; with arguments for pytest, in one process.
Suites that mostly wait run beside the other suites. The counts are also written to
.cache/test-counts.json. The exit status is 1 when anything fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

import python_tests
from testserver import ServerError, TestServer, temporary_folder

from tests import suites

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
# With what is optional.
CARGO_TEST = ["cargo", "test", "--workspace", "--features", "kecoa/tracing", "--no-fail-fast"]
RESULT = re.compile(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", re.MULTILINE)


def for_extension(environment: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Return cargo's arguments and environment: the extension's own tests need a shared libpython."""
    folder, name = (sysconfig.get_config_var(key) or "" for key in ("LIBDIR", "LDLIBRARY"))
    if not sysconfig.get_config_var("Py_ENABLE_SHARED") or not (Path(folder) / name).exists():
        print("This Python has no shared library: the extension's own Rust tests are left out.", flush=True)
        return ["--exclude", "kecoa-py"], environment
    paths = [folder, environment.get("LD_LIBRARY_PATH", "")]
    path = os.pathsep.join(filter(None, paths))
    return [], {**environment, "PYO3_PYTHON": sys.executable, "LD_LIBRARY_PATH": path}


def rust(environment: dict[str, str]) -> dict[str, int]:
    """Run cargo's tests; show the output as it comes."""
    arguments, environment = for_extension(environment)
    process = subprocess.Popen(
        [*CARGO_TEST, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        # A line a passed test says nothing; what fails, is ignored or was skipped does.
        if not re.match(r"test .* \.\.\. ok$", line):
            sys.stdout.write(line)
            sys.stdout.flush()
    status = process.wait()
    output = "".join(lines)
    sums = [sum(map(int, column)) for column in zip(*RESULT.findall(output), strict=True)] or [0, 0, 0]
    counts = dict(zip(("passed", "failed", "skipped"), sums, strict=True))
    if status != 0 and not counts["failed"]:
        counts["failed"] = 1  # a build error
    return counts


class Tally:
    """Counts by what was run, and the seconds of each part."""

    def __init__(self) -> None:
        self.counts: dict[str, dict[str, int]] = {}
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time a part; a suite that can't be run fails."""
        began = time.monotonic()
        try:
            yield
        except suites.SuiteError as error:
            print(error)
            self.counts[name] = {"passed": 0, "failed": 1, "skipped": 0}
        self.seconds[name] = time.monotonic() - began

    def show(self) -> None:
        """Print all."""
        print()
        for name, seconds in self.seconds.items():
            print(f"{seconds:7.0f} s  {name}")
        print()
        for name, count in self.counts.items():
            print(f"{name}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")

    @property
    def has_failed(self) -> bool:
        """Whether anything failed."""
        return any(count["failed"] for count in self.counts.values())


def run_parts(
    parts: set[str], names: list[str], server: TestServer, environment: dict[str, str], rest: list[str]
) -> Tally:
    """Run the parts one after the other, the suites beside those that wait."""
    tally = Tally()
    if "rust" in parts:
        with tally.part("Rust"):
            tally.counts["Rust"] = rust(environment)
    with ExitStack() as opened:
        begun: dict[str, suites.Beside] = {}
        if "python" in parts:
            with tally.part("Python"):
                tally.counts["Python"] = python_tests.run(environment, rest)
        for name in names:
            if name in suites.BESIDE:
                with tally.part(f"{name}'s suite, to begin"):
                    begun[name] = suites.begin(name, environment)
                    opened.callback(begun[name].close)
        for name in names:
            if name not in suites.BESIDE:
                print(f"\nThe suite of {name}:", flush=True)
                with tally.part(f"{name}'s suite"):
                    tally.counts |= suites.run(name, server, environment)
        for name, suite in begun.items():
            print(f"\nThe suite of {name}:", flush=True)
            with tally.part(f"{name}'s suite, after the others"):
                tally.counts |= suite.finish()
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=["rust", "python", "suites"])
    parser.add_argument("--suite", action="append", choices=suites.SUITES, default=[])
    known, rest = parser.parse_known_args()
    parts = {known.only or "suites"} if known.only or known.suite else {"rust", "python", "suites"}
    # A terminated run must still stop its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # A shell has what it runs in the background ignore Ctrl-C, and nohup the end of the terminal; children
    # inherit that: tests that send these signals would wait without end. What is handled here, or as usual,
    # has its usual effect in children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    CACHE.mkdir(exist_ok=True)
    names: list[str] = list(known.suite or suites.SUITES) if "suites" in parts else []
    try:
        with temporary_folder() as folder, TestServer(Path(folder)) as server:
            environment = {**os.environ, **server.environment()}
            # Tests of the local endpoint find PostgreSQL as the package tells them.
            environment.setdefault("KECOA_EMBEDDED_POSTGRES", str(server.programs.parent))
            environment.pop("DATABASE_URL", None)
            tally = run_parts(parts, names, server, environment, rest)
    except ServerError as error:
        print(f"run_tests: {error}", file=sys.stderr)
        return 1
    (CACHE / "test-counts.json").write_text(json.dumps(tally.counts))
    tally.show()
    return 1 if tally.has_failed else 0


if __name__ == "__main__":
    sys.exit(main())
