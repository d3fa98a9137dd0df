"""Gateways beside each other, and modules of the suite that run on them, each on whichever is free."""

from __future__ import annotations

import queue
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from tests.suites.pymongo import gateway
from tests.suites.pymongo.module import Outcome, Runner

# Most tests wait, so that more gateways than processors pay. Each takes 16 connections of the server's 100.
GATEWAYS = 6


@dataclass(frozen=True)
class Settings:
    """How the suite runs."""

    suite: Path  # its folder
    environment: Mapping[str, str]
    authentication: bool
    only: str = ""
    compressors: str = ""
    left_out: Collection[str] = ()
    niceness: int = 0


@dataclass
class Found:
    """What a run found: the outcome by test, the seconds by module, and what falls short with the reason."""

    tests: dict[str, Outcome] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Pool:
    """Gateways on databases of one server, until the block ends; modules run on them in threads."""

    def __init__(self, dsn: str, settings: Settings, size: int = GATEWAYS) -> None:
        self.dsn, self.settings, self.size = dsn, settings, size
        self.found = Found()
        self._failures: list[BaseException] = []
        self._runners: list[Runner] = []
        self._threads: list[threading.Thread] = []
        self._open = ExitStack()

    def __enter__(self) -> Pool:
        with ExitStack() as opened:
            scratch = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            for number in range(self.size):
                self._runners.append(self._runner(number, scratch / str(number), opened))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for runner in self._runners:
            runner.stop()
        for thread in self._threads:
            thread.join()
        self._open.close()

    def _runner(self, number: int, folder: Path, opened: ExitStack) -> Runner:
        settings = self.settings
        database = gateway.make_database(self.dsn, f"kecoa_mongo_{number}")
        folder.mkdir()
        here = opened.enter_context(
            gateway.start(
                database,
                folder / "home",
                settings.environment,
                authentication=settings.authentication,
            )
        )
        variables = {
            **settings.environment,
            **gateway.variables(here, authentication=settings.authentication),
            "KECOA_NICENESS": str(settings.niceness),
        }
        for name in ("CI", "TEST_LOAD_BALANCER"):
            variables.pop(name, None)
        if settings.compressors:
            variables["COMPRESSORS"] = settings.compressors
        return Runner(settings.suite, variables, folder, settings.only, settings.left_out)

    def start(self, modules: Sequence[str]) -> None:
        """Run modules in this order, as many at a time as there are gateways."""
        waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        for module in modules:
            waiting.put(module)
        for runner in self._runners:
            thread = threading.Thread(target=self._work, args=(runner, waiting), daemon=True)
            self._threads.append(thread)
            thread.start()

    def wait(self) -> Found:
        """Wait until all modules have run."""
        while self._threads:
            self._threads.pop().join()
        if self._failures:
            raise self._failures[0]
        return self.found

    def run(self, module: str, names: Collection[str]) -> None:
        """Run these tests of a module now, on the first gateway; what they give counts."""
        runner = self._runners[0]
        gateway.clean(runner.environment)
        self.found.tests |= runner.run(f"test/{module}", names).tests

    def _work(self, runner: Runner, waiting: queue.SimpleQueue[str]) -> None:
        while True:
            try:
                module = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            try:
                gateway.clean(runner.environment)
                self.found.tests |= runner.run(f"test/{module}").tests
            except BaseException as error:
                self._failures.append(error)
                return
            self.found.seconds[module] = time.monotonic() - began
