#!/usr/bin/env python3
"""Check who uses whom, by tools/dependencies.toml.

usage: check_structure.py

Circles of imports among the files of a crate, or among the modules of the Python package: each is printed
with the names that tie it, and one that the table does not list is an error. So is one that it lists and
that is no more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from structure import circles, table

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools/dependencies.toml"
# What a crate without a socket, a clock or a thread of its own must not use.
IO = {"tokio", "socket2", "rustls", "rustix", "mio"}


def crates(known: table.Table) -> Iterator[str]:
    """Compare the crates with the table. Dependencies of tests are free."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    packages = {package["name"]: package for package in json.loads(answer.stdout)["packages"]}
    parts = {part.name: part for part in known.crates}
    for name in sorted(packages.keys() ^ parts.keys()):
        yield f"{name}: " + ("is not in the table" if name in packages else "is no crate of the workspace")
    for name in sorted(packages.keys() & parts.keys()):
        part = parts[name]
        used = {d["name"] for d in packages[name]["dependencies"] if d["kind"] != "dev"}
        for other in sorted(used):
            if other in packages and other not in part.uses:
                yield f"{name} must not use {other}"
            if not part.io and other in IO:
                yield f"{name} does no I/O, and must not use {other}"
        for other in sorted(set(part.uses) - used):
            yield f"{name} may use {other}, and does not: take it out of the table"


def main() -> int:
    known = table.load(TABLE)
    said, wrong = circles.check(known)
    wrong += crates(known)
    print("\n".join(said))
    for complaint in wrong:
        print(complaint, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
