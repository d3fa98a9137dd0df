"""examples/transfer_asyncio.py, on the local endpoint and on PostgreSQL."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parent.parent.parent / "examples/transfer_asyncio.py"


@pytest.mark.parametrize("server", ["endpoint", "postgresql"])
def test_the_transfer(request, server):
    url = request.getfixturevalue("endpoint").url if server == "endpoint" else request.getfixturevalue("dsn")
    done = subprocess.run(
        [sys.executable, "-X", "dev", str(PROGRAM)],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert re.findall(r"balance: \$(\d+)", done.stdout) == ["1000", "250", "900", "350"], done.stderr
    assert "attempt 1: committed" in done.stdout
    assert "Warning" not in done.stderr, done.stderr
