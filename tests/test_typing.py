"""Type checkers know what connections, cursors and rows are: mypy finds what the files in `typing` say it finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FILES = Path(__file__).with_name("typing")


def test_annotations_say_what_users_get(tmp_path: Path) -> None:
    """`assert_type` holds each expression, and an expected error that does not come is one."""
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--warn-unused-ignores",
            "--cache-dir",
            tmp_path,
            *sorted(FILES.glob("*.py")),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
