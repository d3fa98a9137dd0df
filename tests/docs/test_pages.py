"""Every block of every page runs, in both languages, and prints what the page shows."""

from __future__ import annotations

import os
import select
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.docs import blocks, servers
from tests.docs.compare import agrees
from tests.docs.reasons import EXCUSED, REASONS

ROOT = Path(__file__).resolve().parent.parent.parent
ENGLISH = [ROOT / "README.md", *sorted((ROOT / "docs/en").rglob("*.md"))]


def translation(page: Path) -> Path:
    """The Indonesian page of an English one."""
    if page.parent == ROOT:
        return ROOT / "README.id.md"
    return ROOT / "docs/id" / page.relative_to(ROOT / "docs/en")


def name(page: Path) -> str:
    """What a page is called in tests."""
    return str(page.relative_to(ROOT))


def runs(page: Path) -> bool:
    """Return True if the page has blocks that run."""
    return any(block.runs for block in blocks.read(page).blocks)


WITH_BLOCKS = [page for english in ENGLISH if runs(english) for page in (english, translation(english))]


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=name)
def test_the_blocks_run_as_printed(path: Path, dsn: str, endpoint: Any, tmp_path: Path) -> None:
    page = blocks.read(path)
    with servers.environment(page, dsn, endpoint.url, endpoint.home) as variables:
        done = servers.run(page, variables, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", ENGLISH, ids=name)
def test_both_languages_mark_the_same_blocks(path: Path) -> None:
    def marked(page: Path) -> list[tuple[str, dict[str, str], bool]]:
        return [
            (block.language, block.markers, block.output is not None)
            for block in blocks.read(page).blocks
            if block.language in blocks.RUNNABLE or block.markers
        ]

    assert marked(translation(path)) == marked(path)


def test_excused_blocks_are_counted() -> None:
    """Who excuses a block raises the count, and says so in the change."""
    found = {}
    for page in ENGLISH:
        excuses = Counter(block.excuse for block in blocks.read(page).blocks if block.excuse is not None)
        if excuses:
            found[name(page)] = dict(excuses)
    assert {excuse for excuses in found.values() for excuse in excuses} <= set(REASONS)
    assert found == EXCUSED


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("a ... c", "a b c\n", True),
        ("a\n...\nd", "a\nb\nc\nd\n", True),
        ("a\n...\nd", "a\nd\n", True),
        ("a\n...", "b\na\n", False),
        ("at 127.0.0.1:26257", "at 127.0.0.1:40001\n", True),
        ("", "a\n", False),
    ],
)
def test_comparing(shown: str, printed: str, same: bool) -> None:
    assert agrees(shown, printed) is same


def test_a_comment_before_a_block_is_a_marker(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- not runn: cloud -->\n```python\n1\n```\n")
    with pytest.raises(blocks.PageError, match="no marker"):
        blocks.read(page)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("```python\nprint(1)\n```\n```output\n1\n```\n", ""),
        ("```python\nprint(1)\n```\n", "does not show what this prints"),
        ("```python\nprint(1)\n```\n```output\n2\n```\n", "+1"),
        ("```python\n1 / 0\n```\n```output\nZeroDivisionError: division by zero\n```\n", ""),
        ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ("```python\nx = 1\n```\n<!-- fresh -->\n```python\nx\n```\n", "NameError"),
        ("```console\n$ export X=1\n$ echo $X\n1\n```\n", ""),
        ("```console\n$ export X=1\n```\n```python\nimport os\nassert os.environ['X'] == '1'\n```\n", ""),
        ("```console\n$ false\n```\n", "found 1"),
        ("<!-- exits: 1 -->\n```console\n$ false\n```\n", ""),
        ("<!-- file: a.py -->\n```python\nprint(3)\n```\n```console\n$ python a.py\n3\n```\n", ""),
        ("```python\nimport asyncio\nawait asyncio.sleep(0)\n```\n", ""),
        ("<!-- varies: \\d+ ms -->\n```python\nprint('7 ms')\n```\n```output\n42 ms\n```\n", ""),
        ("<!-- not run: because -->\n```python\n1\n```\n", "no reason"),
    ],
)
def test_running(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(text)
    page = blocks.read(file)
    variables = {"PATH": f"{Path(servers.sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = servers.run(page, variables, tmp_path)
    assert (done.returncode != 0) == bool(problem), done.stderr
    assert problem in done.stderr


def test_what_a_page_leaves_running_ends_with_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = tmp_path / "page.md"
    file.write_text("```console\n$ exec 3> pipe; sleep 300 &\n```\n")
    variables = {"PATH": f"{Path(servers.sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    done = servers.run(blocks.read(file), variables, tmp_path)
    assert done.returncode == 0, done.stderr
    # The pipe ends when its last writer does.
    assert select.select([reader], [], [], 60)[0] == [reader]
    assert os.read(reader, 1) == b""
    os.close(reader)
