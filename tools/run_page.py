#!/usr/bin/env python3
"""Run the blocks of pages as the tests do, with servers of their own; for authors.

usage: run_page.py [--accept] PAGE ...

--accept writes what blocks print into the output blocks behind them; put an empty one where there is none.
docs/README.md has the rules.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.conftest import Endpoint
from tests.docs import blocks, servers
from tools.testserver import TestServer, temporary_folder


def main() -> int:
    options = [argument for argument in sys.argv[1:] if argument.startswith("--")]
    pages = [blocks.read(Path(argument).resolve()) for argument in sys.argv[1:] if argument not in options]
    if not pages or set(options) - {"--accept"}:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    with temporary_folder() as home, temporary_folder() as data, TestServer(Path(data)) as server:
        endpoint = Endpoint(Path(home))
        try:
            endpoint.start()
            for page in pages:
                began = time.monotonic()
                with (
                    servers.environment(page, server.dsn, endpoint.url, endpoint.home) as variables,
                    tempfile.TemporaryDirectory() as folder,
                ):
                    done = servers.run(page, variables, Path(folder), *options)
                failed += done.returncode != 0
                word = "failed" if done.returncode else "ok"
                print(f"{page.path}: {word}, {time.monotonic() - began:.1f} s, {done.stdout.strip()}")
                print(done.stderr, end="")
        finally:
            endpoint.command("stop", check=False)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
