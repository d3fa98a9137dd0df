#!/usr/bin/env python3
"""What the local endpoint adds to a round trip: raw sockets to it and to its PostgreSQL, in one run.

usage: endpoint.py [--rounds N] [--secs S] [--json FILE]

An endpoint is started in a folder of its own, and stopped. One client asks for one row by its key: by the
simple protocol, by an unnamed statement of the extended one, and by a prepared one; by unix socket, through
the endpoint and to the PostgreSQL behind it, and by TCP through the endpoint. Rounds are interleaved. The
tables show the median round trip in microseconds, what it is more than the direct one of the same round, and
the CPU time of the endpoint's process for a statement.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import tempfile
import time
from pathlib import Path

import drivers
import floor

SQL = "SELECT id, balance FROM b_acc WHERE id = "


def parse(name: bytes) -> bytes:
    """Parse, with one parameter."""
    return floor.message(b"P", name + b"\0" + SQL.encode() + b"$1\0\0\0")


def run(name: bytes) -> bytes:
    """Bind, Describe, Execute and Sync of a statement."""
    bind = b"\0" + name + b"\0" + struct.pack("!HHI", 0, 1, 1) + b"7" + struct.pack("!H", 0)
    messages = ((b"B", bind), (b"D", b"P\0"), (b"E", b"\0" + struct.pack("!I", 0)), (b"S", b""))
    return b"".join(floor.message(tag, body) for tag, body in messages)


WAYS = {
    "simple": floor.query(SQL + "7"),
    "extended": parse(b"") + run(b""),
    "prepared": run(b"s"),
}


def places(status: dict) -> dict[str, dict[str, str]]:
    """Whom to connect to: PostgreSQL itself, and the endpoint."""
    pid_file = Path(status["data_dir"], "postmaster.pid").read_text().splitlines()
    login = {"user": "root", "dbname": "defaultdb"}
    port = str(status["port"])
    return {
        "direct": {"host": pid_file[4], "port": pid_file[3], **login},
        "endpoint": {"host": status["socket"], "port": port, **login},
        "tcp": {"host": "127.0.0.1", "port": port, **login},
    }


def cpu_of(pid: int) -> float:
    """The CPU time of a process so far, in microseconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e3


def measure(wire: floor.Wire, data: bytes, seconds: float, pid: int) -> dict[str, float]:
    """The median round trip, and the endpoint's CPU time for one."""
    took = []
    cpu, end = cpu_of(pid), time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        wire.call(data)
        took.append((time.perf_counter() - begun) * 1e6)
    return {"wall": statistics.median(took), "cpu": (cpu_of(pid) - cpu) / len(took)}


def compare(status: dict, rounds: int, seconds: float) -> drivers.Medians:
    """Run it all."""
    wires = {name: floor.Wire(place) for name, place in places(status).items()}
    wires["endpoint"].run("CREATE TABLE b_acc (id INT8 PRIMARY KEY, balance INT8)")
    wires["endpoint"].run("INSERT INTO b_acc SELECT i, 1000000 FROM generate_series(1, 1000) AS g (i)")
    for wire in wires.values():
        wire.call(parse(b"s") + floor.message(b"S", b""))
    seen: dict[str, dict[str, list[dict[str, float]]]] = {way: {n: [] for n in wires} for way in WAYS}
    for number in range(rounds + 1):
        for way, data in WAYS.items():
            for name, wire in wires.items():
                answer = measure(wire, data, seconds, status["pid"])
                if number > 0:  # the first warms up
                    seen[way][name].append(answer)
    return {
        way: {n: summary(found, by_name["direct"]) for n, found in by_name.items()}
        for way, by_name in seen.items()
    }


def summary(found: list[dict[str, float]], direct: list[dict[str, float]]) -> dict[str, float]:
    """The medians of the rounds to one place."""
    medians = {clock: statistics.median(m[clock] for m in found) for clock in ("wall", "cpu")}
    added = statistics.median(m["wall"] - d["wall"] for m, d in zip(found, direct, strict=True))
    return medians | {"added": added}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--secs", type=float, default=0.2, help="a way's time in a round")
    parser.add_argument("--json", help="write the medians to this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kecoa-bench-", dir="/tmp") as folder:
        os.environ["KECOA_HOME"] = folder
        from kecoa import local

        local.start(password=False)
        try:
            medians = compare(local.status(), args.rounds, args.secs)
        finally:
            local.stop()
    drivers.show("endpoint: round trip us", medians, lambda by, d: by[d]["wall"])
    drivers.show("endpoint: more than direct", medians, lambda by, d: by[d]["added"])
    drivers.show("endpoint: its CPU us", medians, lambda by, d: None if d == "direct" else by[d]["cpu"])
    if args.json:
        Path(args.json).write_text(json.dumps(medians, indent=1))


if __name__ == "__main__":
    main()
