"""Finds files that a page names and that are not there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

# A path in code: one with a folder in it, or a file's name.
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?|[\w-]+\.(?:rs|py|toml|txt))`")


def missing_files(page: Path, root: Path) -> Iterator[str]:
    """Yield what the page names and no path of the tree holds, from its top or from any folder."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    paths = [f"/{path}/" for path in listed.stdout.split("\0") if path]
    for found in NAMED.finditer(page.read_text(encoding="utf-8")):
        name = found[1].rstrip("/")
        if not any(f"/{name}/" in path for path in paths):
            yield f"{page.name} names {name}, which is not there"
