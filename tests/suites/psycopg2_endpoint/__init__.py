"""psycopg2's own test suite on the local endpoint: what CockroachDB's dialect lacks, and nothing else, is missing.

The suite knows CockroachDB by the parameters that the server reports, and skips what CockroachDB can't do,
each test with a reason. The real psycopg2 runs first, then kecoa in its place, on endpoints of their own: a
test that psycopg2 passes there must pass, and one that it skips must not fail, but for those in SHORT.
`lacks.json` is the table of the reasons and how many tests each one takes away; docs/en/reference/psycopg2.md and
docs/id/reference/psycopg2.md show it. A count that is not the table's fails the suite too, so that the endpoint can't
lose what it has.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.suites import Counts, SuiteError
from tests.suites.psycopg2 import Outcomes, outcomes

if TYPE_CHECKING:
    from tools.testserver import TestServer

LACKS = Path(__file__).with_name("lacks.json")
REASON = re.compile(r"not supported on CockroachDB \d+: (?P<reason>.*?)(?: \(https://\S+\))?$")

# Neither CockroachDB nor the endpoint streams replication. The suite skips these where a refused connection
# has no SQLSTATE, as with libpq; kecoa keeps the server's, and the suite lets the error through.
_STREAMS = "the server cannot stream replication, and kecoa's error has its SQLSTATE"
SHORT = {
    f"tests.test_replication.{test}": _STREAMS
    for test in (
        "AsyncReplicationTest.test_async_replication",
        "ReplicationTest.test_create_replication_slot",
        "ReplicationTest.test_datestyle",
        "ReplicationTest.test_keepalive",
        "ReplicationTest.test_logical_replication_connection",
        "ReplicationTest.test_physical_replication_connection",
        "ReplicationTest.test_start_and_recover_from_error",
        "ReplicationTest.test_start_on_missing_replication_slot",
        "ReplicationTest.test_start_replication_expert_sql",
        "ReplicationTest.test_stop_replication",
    )
}

# The suite makes tables inside transactions that it rolls back, and expects them gone. CockroachDB commits
# before a schema change since 25.2, unless it is told not to.
OPTIONS = "-c autocommit_before_ddl=off"


def lacks() -> dict[str, int]:
    """How many tests each of psycopg2's reasons takes away, by the table."""
    return {row["reason"]: row["tests"] for row in json.loads(LACKS.read_text("utf-8"))}


def reasons(found: Outcomes) -> dict[str, int]:
    """The same by a run."""
    matches = (REASON.match(test["reason"]) for test in found.values() if test["outcome"] == "skip")
    return dict(Counter(match["reason"] for match in matches if match))


def on_endpoint(module: str, environment: Mapping[str, str]) -> Outcomes:
    """Run the suite on `module`, on a local endpoint that is started and stopped for it."""
    from tools.testserver import temporary_folder

    with temporary_folder() as folder:
        Path(folder).chmod(
            0o755
        )  # for PostgreSQL's user: otherwise root's data is elsewhere, and stays there
        surroundings = {**environment, "KECOA_HOME": folder}
        surroundings.pop("DATABASE_URL", None)
        started = _local("start", surroundings)
        try:
            url = next((word for word in started.stdout.split() if word.startswith("postgresql://")), None)
            if url is None:
                raise SuiteError(f"the local endpoint did not start:\n{started.stdout}{started.stderr}")
            parts = urlsplit(url)
            names = {
                "PSYCOPG2_TESTDB": parts.path.lstrip("/"),
                "PSYCOPG2_TESTDB_HOST": parts.hostname or "",
                "PSYCOPG2_TESTDB_PORT": str(parts.port),
                "PSYCOPG2_TESTDB_USER": parts.username or "",
                "PSYCOPG2_TESTDB_PASSWORD": parts.password or "",
                "PGOPTIONS": OPTIONS,
            }
            return outcomes(module, {**surroundings, **names})
        finally:
            _local("stop", surroundings)


def _local(command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kecoa", "local", command],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def complaints(theirs: Outcomes, ours: Outcomes) -> list[str]:
    """What falls short, a line a test; what the list of exceptions says too much."""
    found = []
    for test, outcome in sorted(theirs.items()):
        own = ours.get(test, {"outcome": "missing", "reason": ""})
        good = own["outcome"] == "pass" or own["outcome"] == outcome["outcome"] == "skip"
        if outcome["outcome"] in ("fail", "error") and test not in SHORT:
            found.append(f"{test}: psycopg2 itself: {_last_line(outcome['reason'])}")
        elif good and test in SHORT:
            found.append(f"{test}: passes, but is listed as short")
        elif not good and test not in SHORT:
            found.append(f"{test}: {own['outcome']}, {_last_line(own['reason'])}")
    expected, counted = lacks(), reasons(ours)
    for reason in sorted({*expected, *counted}):
        if expected.get(reason, 0) != counted.get(reason, 0):
            found.append(
                f"tests skipped for {reason!r}: expected {expected.get(reason, 0)}, "
                f"found {counted.get(reason, 0)}"
            )
    return found


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def run(server: TestServer, environment: Mapping[str, str]) -> dict[str, Counts]:
    """Run the suite twice, and compare."""
    theirs = on_endpoint("psycopg2", environment)
    ours = on_endpoint("kecoa", environment)
    short = complaints(theirs, ours)
    for line in short:
        print(line)
    tally = Counter(test["outcome"] for test in ours.values())
    return {
        "psycopg2's suite on the local endpoint": {
            "passed": tally["pass"],
            "failed": len(short),
            "skipped": sum(tally.values()) - tally["pass"],
        }
    }
