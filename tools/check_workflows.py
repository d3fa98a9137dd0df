#!/usr/bin/env python3
"""Check the workflows: their form by GitHub's schema (check-jsonschema), their security by zizmor.

usage: check_workflows.py

Both come as wheels (requirements-lint.txt), and must be there wherever such a wheel is to be had; elsewhere a
line says what was not checked. Neither asks the network: known faults of actions are not looked up. What
the workflows call is checked by tests/test_packages.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lint_tools

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = {
    "check-jsonschema": ["--quiet", "--builtin-schema", "vendor.github-workflows"],
    "zizmor": ["--offline", "--quiet", "--no-progress"],
}


def main() -> int:
    workflows = sorted(str(path) for path in (ROOT / ".github/workflows").glob("*.yml"))
    return lint_tools.run({name: [*arguments, *workflows] for name, arguments in COMMANDS.items()})


if __name__ == "__main__":
    sys.exit(main())
