"""`python -m kecoa._workload`: reads what to do, and runs the workers until standard input is closed."""

from __future__ import annotations

import json
import sys
import threading
from contextlib import closing
from typing import Any

import kecoa
from kecoa._workload.bodies import WORKLOADS
from kecoa._workload.worker import Run, Worker
from kecoa.pool import Pool


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
        threads = [threading.Thread(target=Worker(run, number).work) for number in range(workers)]
        for thread in threads:
            thread.start()
        # Until whoever started this closes it.
        sys.stdin.read()
        run.over.set()
        for thread in threads:
            thread.join()
    if workload.versions is not None:
        report({"acknowledged": workload.versions.acknowledged()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
