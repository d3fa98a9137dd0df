"""Type checkers know what connections, cursors and rows are, and find mistakes: mypy and pyright agree."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "tests/typing").glob("*.py"))
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
MISTAKES = ROOT / "tests/typing/mistakes.py"
IGNORED = re.compile(r"  # type: ignore\[.*\]$", re.MULTILINE)


def mypy(folder: Path, *files: Path) -> list[tuple[str, int]]:
    """Return where mypy finds errors: files' names and lines."""
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--warn-unused-ignores", "--no-error-summary"),
            *("--cache-dir", folder / "cache", *files),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"MYPYPATH": str(ROOT / "shims/psycopg2")},
        check=False,
    )
    found = re.findall(r"^(.+?):(\d+): error: ", checked.stdout, re.MULTILINE)
    assert checked.returncode == (1 if found else 0), checked.stdout + checked.stderr
    return [(Path(name).name, int(line)) for name, line in found]


def pyright(folder: Path, *files: Path) -> list[tuple[str, int]]:
    """Return where pyright finds errors: files' names and lines."""
    options = {
        "include": [str(file) for file in files],
        "extraPaths": [str(ROOT / "shims/psycopg2")],
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(options))
    checked = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable, "--outputjson"],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    report = json.loads(checked.stdout)
    assert report["summary"]["filesAnalyzed"] == len(files), checked.stdout
    return [
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1)
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    ]


CHECKERS = [mypy, pyright]


@pytest.mark.parametrize("checker", CHECKERS)
def test_annotations_say_what_users_get(checker, tmp_path: Path) -> None:
    """`assert_type` holds each expression, and an expected error that does not come is one."""
    assert len(FILES) == 3
    assert checker(tmp_path, *FILES) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_examples_are_strictly_typed(checker, tmp_path: Path) -> None:
    assert len(EXAMPLES) >= 8
    assert checker(tmp_path, *EXAMPLES) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_mistakes_are_found(checker, tmp_path: Path) -> None:
    """Without the marks, each marked line has an error."""
    text = MISTAKES.read_text(encoding="utf-8")
    marked = {number for number, line in enumerate(text.splitlines(), 1) if IGNORED.search(line)}
    assert len(marked) >= 20
    unmarked = tmp_path / "mistakes.py"
    unmarked.write_text(IGNORED.sub("", text), encoding="utf-8")
    assert {line for _, line in checker(tmp_path, unmarked)} == marked
