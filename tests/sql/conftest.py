"""`kecoa sql` on a PostgreSQL and on a local endpoint, by pipes and in a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..terminal import Terminal


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that names no database, and a history of its own."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PG") and name not in ("DATABASE_URL", "NO_COLOR", "PAGER", "LESS")
    }
    return {
        **kept,
        "KECOA_HISTORY": str(tmp_path / "state" / "history"),
        "KECOA_HOME": str(tmp_path / "home"),
        "TERM": "xterm-256color",
        "KECOA_PAGER": "",
    }


@pytest.fixture
def sql(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `kecoa sql` with arguments and standard input."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kecoa", "sql", *arguments],
            input=stdin,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def terminal(environment: dict[str, str]) -> Iterator[Callable[..., Terminal]]:
    """Open `kecoa sql` in a terminal; it is ended after the test."""
    opened: list[Terminal] = []

    def opener(*arguments: str, columns: int = 100, **variables: Any) -> Terminal:
        opened.append(Terminal(["sql", *arguments], {**environment, **variables}, columns))
        return opened[-1]

    yield opener
    for each in opened:
        each.close()
