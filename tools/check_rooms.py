#!/usr/bin/env python3
"""Check that the crates depend on each other only as ARCHITECTURE.md lets them.

usage: check_rooms.py

Reads `cargo metadata`. Dependencies of tests (dev-dependencies) are free, but for kecoa-pgmock, which
nothing else than tests may use.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAY_USE = {
    "kecoa-proto": set(),
    "kecoa-types": set(),
    "kecoa-pgmock": {"kecoa-proto"},
    "kecoa-derive": set(),
    "kecoa": {"kecoa-derive", "kecoa-proto", "kecoa-types"},
    "kecoa-local": {"kecoa-proto"},
    "kecoa-cli": {"kecoa", "kecoa-local"},
    "kecoa-py": {"kecoa", "kecoa-cli", "kecoa-proto", "kecoa-types"},
}
# Crates without a socket, a clock or a thread of their own.
SANS_IO = {"kecoa-proto", "kecoa-types"}
IO = {"tokio", "socket2", "rustls", "rustix", "mio"}


def main() -> int:
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    packages = {package["name"]: package for package in json.loads(answer.stdout)["packages"]}
    complaints = [f"{name} has no room in tools/check_rooms.py" for name in packages.keys() - MAY_USE.keys()]
    for name, package in packages.items():
        for dependency in package["dependencies"]:
            other = dependency["name"]
            if dependency["kind"] == "dev":
                continue
            if other in packages and other not in MAY_USE.get(name, set()):
                complaints.append(f"{name} must not use {other}")
            if name in SANS_IO and other in IO:
                complaints.append(f"{name} does no I/O, and must not use {other}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
