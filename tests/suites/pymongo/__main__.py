"""PyMongo's suite by hand; the tests run it through tools/run_tests.py.

usage: python -m tests.suites.pymongo [--groups crud,bulk] [--legs sync,async] [--only TEXT] [--auth]
                                      [--compressors zlib] [--dsn DSN] [--json FILE] [--list]

--dsn is a superuser's, KECOA_TEST_DSN by default; databases `kecoa_mongo_N` are made there anew.
`tools/testserver.py` starts a server and sets that variable. Without --groups all of bar.json's run.

Prints what falls short of the bar; the exit status is 1 when something does.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections import Counter
from pathlib import Path

from tests.suites import SuiteError
from tests.suites.pymongo import is_asynchronous, outcomes, read_bar, source
from tests.suites.pymongo.left_out import LEFT_OUT
from tests.suites.pymongo.pool import Settings


def main() -> int:
    bar = read_bar()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", default=",".join(bar))
    parser.add_argument("--legs", default="sync,async", choices=["sync,async", "sync", "async"])
    parser.add_argument("--only", default="")
    parser.add_argument("--auth", action="store_true")
    parser.add_argument("--compressors", default="")
    parser.add_argument("--dsn", default=os.environ.get("KECOA_TEST_DSN"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--list", action="store_true", help="print the groups and their modules")
    arguments = parser.parse_args()
    if arguments.list:
        for group in bar:
            print(f"{group}: {', '.join(bar[group])}")
        return 0
    if not arguments.dsn:
        parser.error("expected --dsn or KECOA_TEST_DSN")
    groups = arguments.groups.split(",")
    for group in groups:
        if group not in bar:
            parser.error(f"expected a group of {', '.join(bar)}, found {group}")
    legs = arguments.legs.split(",")
    modules = [
        module
        for group in groups
        for module in bar[group]
        if ("async" if is_asynchronous(module) else "sync") in legs
    ]
    settings = Settings(
        source(),
        os.environ,
        arguments.auth,
        only=arguments.only,
        compressors=arguments.compressors,
        left_out=LEFT_OUT,
    )
    try:
        found = outcomes(arguments.dsn, modules, settings)
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        report = {name: dataclasses.asdict(outcome) for name, outcome in found.tests.items()}
        arguments.json.write_text(json.dumps(report, indent=1))
    for module, seconds in sorted(found.seconds.items(), key=lambda item: -item[1]):
        print(f"{seconds:7.1f} s  {module}")
    for name, why in found.short.items():
        print(f"{name}: {why.splitlines()[0][:300]}")
    counts = Counter(outcome.status for outcome in found.tests.values())
    print(", ".join(f"{count} {status}" for status, count in counts.items()), f"- {len(found.short)} short")
    return 1 if found.short else 0


if __name__ == "__main__":
    sys.exit(main())
