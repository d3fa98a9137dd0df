"""What the pages show passes mypy as it comes: a reader who copies a block into a typed program gets no errors.

A page's blocks are one program, up to `<!-- fresh -->`; the files that it has the reader save are programs of
their own. Functions without annotations are not looked into, which is mypy's default.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import blocks
from tests.docs.test_pages import ENGLISH, ROOT, name

# Files that readers append to another one.
PARTS = {"on_cockroachdb.py", "stock.py"}
# What Jupyter alone understands.
MAGIC = re.compile(r"^(?:\w+ = )?[%!]", re.MULTILINE)
OPTIONS = (
    *("--no-error-summary", "--hide-error-context", "--explicit-package-bases"),
    # A page goes on as a notebook does: names get other values, functions are written again.
    *("--allow-redefinition", "--disable-error-code=no-redef"),
    # Libraries that come without annotations, or are not installed here.
    *("--disable-error-code=import-untyped", "--disable-error-code=import-not-found"),
)


def typed(block: blocks.Block) -> bool:
    """Return True if a block is Python of the page's own program."""
    return (
        block.language == "python"
        and block.file is None
        and block.excuse in (None, "library")
        and not MAGIC.search(block.source)
    )


def program(text: str) -> str:
    """Return a page's program; where it awaits outside of functions, all of it is one."""
    try:
        compile(text, "page", "exec")
    except SyntaxError:
        first, *lines = text.splitlines()
        # A page begins with its title: no code is in the first line.
        assert not first.strip()
        return "\n".join(["async def page() -> None:", *(f"    {line}" for line in lines), "    pass", ""])
    return text


def programs(page: blocks.Page) -> dict[str, str]:
    """Return the page's programs by the names of their files; each line is where the page has it."""
    found: dict[str, str] = {}
    text, number = "", 0
    for block in page.blocks:
        above = "\n" * (block.line - 1)
        if block.file is not None and block.file.endswith(".py") and block.file not in PARTS:
            found[block.file] = above + block.source
        elif typed(block):
            if "fresh" in block.markers:
                text, number = "", number + 1
            text += above[text.count("\n") :] + block.source
            found[f"page_{number}.py"] = text
    return {file: program(text) for file, text in found.items()}


def mistakes(page: blocks.Page, folder: Path, cache: Path) -> list[str]:
    """Return what mypy says of a page's programs."""
    for file, text in programs(page).items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={cache}", *OPTIONS, "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if ": error: " in line]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of the libraries, for all pages."""
    return tmp_path_factory.mktemp("mypy")


WITH_PROGRAMS = [page for page in ENGLISH if programs(blocks.read(page))]


@pytest.mark.parametrize("path", WITH_PROGRAMS, ids=name)
def test_the_programs_pass_mypy(path: Path, tmp_path: Path, cache: Path) -> None:
    found = mistakes(blocks.read(path), tmp_path, cache)
    assert found == [], f"{name(path)}: lines are those of the page\n" + "\n".join(found)


def test_mistakes_are_found_at_their_lines(tmp_path: Path, cache: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Title\n\n"
        "```python\nimport kecoa.aio\n\nconn = await kecoa.aio.connect()\n```\n\n"
        "```python\nasync with conn:\n    await conn.comit()\n```\n\n"
        "<!-- fresh -->\n```python\nimport kecoa\n\nkecoa.connect().comit()\n```\n\n"
        "<!-- file: saved.py -->\n```python\nimport kecoa\n\nkecoa.conect()\n```\n"
    )
    found = [line.split(": error: ")[0] for line in mistakes(blocks.read(page), tmp_path / "made", cache)]
    assert sorted(":".join(place.split(":")[:2]) for place in found) == [
        "page_0.py:11",
        "page_1.py:18",
        "saved.py:25",
    ]


def test_every_page_with_python_is_checked() -> None:
    assert len(WITH_PROGRAMS) > 35
    assert ROOT / "docs/en/tutorial/pep249.md" in WITH_PROGRAMS
