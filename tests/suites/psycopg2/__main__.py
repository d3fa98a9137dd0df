"""psycopg2's suite by hand; the tests run it through tools/run_tests.py.

usage: python -m tests.suites.psycopg2 [--module kecoa] [--green] [--only connection,cursor] [--dsn DSN]
                                       [--json FILE] [--write-bar]

--only names test modules without `test_` (`psycopg2_dbapi20` is PEP 249's own). --dsn is a superuser's,
KECOA_TEST_DSN by default; a database `kecoa_suite` is made there anew. `tools/testserver.py` starts a server
and sets that variable. --write-bar runs psycopg2 itself in both modes and writes bar.json.

Prints what fails; the exit status is 1 when a test does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

from tests.suites import SuiteError
from tests.suites.psycopg2 import BAR, VERSION, make_database, outcomes


def write_bar(dsn: str) -> None:
    """Measure psycopg2 itself."""
    bar: dict[str, dict[str, str]] = {}
    for mode in ("normal", "green"):
        variables = {**os.environ, **make_database(dsn)}
        for test, outcome in outcomes("psycopg2", variables, green=mode == "green").items():
            bar.setdefault(test, {})[mode] = outcome["outcome"]
            if outcome["outcome"] in ("fail", "error"):
                print(f"{mode}: {test}: {outcome['reason']}")
    tests = ",\n".join(f" {json.dumps(test)}: {json.dumps(bar[test])}" for test in sorted(bar))
    BAR.write_text(f'{{"psycopg2": "{VERSION}", "tests": {{\n{tests}\n}}}}\n')
    print({mode: Counter(modes[mode] for modes in bar.values()) for mode in ("normal", "green")})


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--module", default="kecoa", choices=["kecoa", "psycopg2"])
    parser.add_argument("--green", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--dsn", default=os.environ.get("KECOA_TEST_DSN"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write-bar", action="store_true")
    arguments = parser.parse_args()
    if not arguments.dsn:
        parser.error("expected --dsn or KECOA_TEST_DSN")
    names = [f"test_{name.removeprefix('test_')}" for name in arguments.only.split(",") if name]
    try:
        if arguments.write_bar:
            write_bar(arguments.dsn)
            return 0
        variables = {**os.environ, **make_database(arguments.dsn)}
        found = outcomes(arguments.module, variables, names, green=arguments.green)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))
    for test, outcome in found.items():
        if outcome["outcome"] not in ("pass", "skip"):
            print(f"{outcome['outcome']:5} {test}: {''.join(outcome['reason'].strip().splitlines()[-1:])}")
    counts = Counter(outcome["outcome"] for outcome in found.values())
    print(f"{arguments.module}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if counts["fail"] + counts["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
