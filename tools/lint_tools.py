"""The lint tools that come as wheels (requirements-lint.txt), and how they are run."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def has_wheels() -> bool:
    """Return True where the tools of requirements-lint.txt come as wheels."""
    return sys.platform != "linux" or platform.libc_ver()[0] == "glibc"


def run(commands: dict[str, list[str]], otherwise: str = "") -> int:
    """Run each tool with its arguments; return the exit status of all.

    Where a tool has no wheel and is not installed, a line says so, with `otherwise` behind it, in which
    {name} is the tool's name.
    """
    failed = 0
    for name, arguments in commands.items():
        beside = Path(sys.executable).parent / name
        tool = str(beside) if beside.exists() else shutil.which(name)
        if tool is not None:
            failed += subprocess.run([tool, *arguments], cwd=ROOT, check=False).returncode != 0
        elif has_wheels():
            print(f"expected {name} in .venv, found none: `make lint` installs it", file=sys.stderr)
            failed += 1
        else:
            print(f"not checked: {name} has no wheel for this platform{otherwise.format(name=name)}")
    return 1 if failed else 0
