"""`python -m kecoa._workload`: reads what to do, and runs the workers until standard input is closed."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import closing, suppress
from typing import Any

import kecoa
from kecoa._workload.bodies import WORKLOADS
from kecoa._workload.worker import Run, Worker
from kecoa.pool import Pool

# Seconds that workers are waited for at the end; longer than whoever started this does.
_GRACE = 120


def _work(run: Run, number: int) -> None:
    """Run a worker; report it if it dies of something else than its transactions."""
    try:
        Worker(run, number).work()
    except BaseException as error:
        run.over.set()
        # Where there is nobody to be told, there is nothing to be done.
        with suppress(OSError):
            run.report({"died": f"worker {number}: {type(error).__name__}: {error}"})


def main() -> int:
    """Run the workers; return the exit status."""
    orders = json.loads(sys.stdin.readline())
    name, workers = orders["workload"], orders["concurrency"]
    with closing(kecoa.connect(orders["direct"])) as conn, conn.cursor() as cursor:
        cursor.execute(f"SELECT name, value FROM kecoa_{name}.settings")
        settings = dict(cursor.fetchall())
    workload: Any = WORKLOADS[name](orders, settings)
    lock = threading.Lock()

    def report(event: dict[str, Any]) -> None:
        line = json.dumps(event)
        with lock:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    with Pool(orders["dsn"], min_size=0, max_size=workers, timeout=60) as pool:
        run = Run(orders, workload, pool, report)
        numbers = range(workers)
        threads = [threading.Thread(target=_work, args=[run, number], daemon=True) for number in numbers]
        report({"ready": workers})
        for thread in threads:
            thread.start()
        # Until whoever started this closes it.
        sys.stdin.read()
        run.over.set()
        until = time.monotonic() + _GRACE
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        if any(thread.is_alive() for thread in threads):
            # They wait for a server that does not answer, and whoever started this is gone, too.
            os._exit(1)
    if workload.versions is not None:
        report({"acknowledged": workload.versions.acknowledged()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
