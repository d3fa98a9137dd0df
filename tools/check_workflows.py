#!/usr/bin/env python3
"""Check the workflows: their form by GitHub's schema (check-jsonschema), their security by zizmor.

usage: check_workflows.py

Both come as wheels (requirements-lint.txt), and must be there wherever such a wheel is to be had; elsewhere a
line says what was not checked. Neither asks the network: known faults of actions are not looked up. What
the workflows call is checked by tests/test_packages.py.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from check_crates import has_wheels

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "check-jsonschema": ["--quiet", "--builtin-schema", "vendor.github-workflows"],
    "zizmor": ["--offline", "--quiet", "--no-progress"],
}


def main() -> int:
    workflows = sorted(str(path) for path in (ROOT / ".github/workflows").glob("*.yml"))
    failed = 0
    for name, arguments in COMMANDS.items():
        beside = Path(sys.executable).parent / name
        tool = str(beside) if beside.exists() else shutil.which(name)
        if tool is not None:
            failed += subprocess.run([tool, *arguments, *workflows], cwd=ROOT, check=False).returncode != 0
        elif has_wheels():
            print(f"expected {name} in .venv, found none: `make lint` installs it", file=sys.stderr)
            failed += 1
        else:
            print(f"not checked: {name} has no wheel for this platform")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
