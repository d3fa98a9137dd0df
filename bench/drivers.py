#!/usr/bin/env python3
"""Drivers side by side on one server: a process each, rounds interleaved, medians, one run.

usage: drivers.py --dsn 'host=/tmp port=5432 user=postgres dbname=postgres' [--drivers a,b] [--only w1,w2]

Three tables come out: wall time, client CPU time, and the median of what each round is as a multiple of the
same round of psycopg2 (below 1 is faster). Two processes of a server are never equally fast, so all begin
anew several times. The floors `null` and `nullbin` are explained in floor.py. A driver that cannot be
imported is reported as absent, never as zero.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import floor
import peers
import workloads

#: driver -> clock ("wall", "cpu") -> microseconds a call; "ratio": wall as a multiple of another driver's
ByDriver = dict[str, dict[str, float]]
#: workload -> ByDriver
Medians = dict[str, ByDriver]


def serve(name: str, dsn: str) -> None:
    """The child: read `workload seconds` lines, answer each with a line of JSON."""
    loop = None
    try:
        make = peers.ALL[name]
        if inspect.iscoroutinefunction(make):
            loop = _event_loop()
            work = loop.run_until_complete(make(dsn))
        else:
            work = make(dsn)
    except Exception as e:
        print(json.dumps({"error": f"{type(e).__name__}: {e}"[:300]}), flush=True)
        return
    print(json.dumps({"ok": sorted(work)}), flush=True)
    for line in sys.stdin:
        workload, seconds = line.split()
        if workload not in work:
            print(json.dumps({"skip": True}), flush=True)
            continue
        try:
            answer = measure(work[workload], float(seconds), loop)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"[:300]}
        print(json.dumps(answer), flush=True)


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def measure(
    call: Callable[[], Any], seconds: float, loop: asyncio.AbstractEventLoop | None
) -> dict[str, float]:
    """Call for at least `seconds`; microseconds a call, by the wall and by this process's CPU clock."""

    async def many_async() -> int:
        n = 0
        while time.perf_counter() < end:
            await call()
            n += 1
        return n

    def many() -> int:
        n = 0
        while time.perf_counter() < end:
            call()
            n += 1
        return n

    cpu, start = time.process_time(), time.perf_counter()
    end = start + seconds
    n = loop.run_until_complete(many_async()) if loop else many()
    wall = time.perf_counter() - start
    return {"wall": wall / n * 1e6, "cpu": (time.process_time() - cpu) / n * 1e6, "calls": n}


class Child:
    """A driver in a process of its own, which runs the program that asks, with `--child`."""

    def __init__(self, name: str, dsn: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, sys.argv[0], "--dsn", dsn, "--child", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.greeting = self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"error": f"ended with status {self.process.wait()}"}

    def ask(self, workload: str, seconds: float) -> dict[str, Any]:
        """One measurement."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{workload} {seconds}\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


#: What a child answered, by its round.
Rounds = dict[int, dict[str, float]]


def compare(args: argparse.Namespace, base: Callable[[str], str], every: list[str]) -> Medians:
    """Run it all, a process a driver; medians by workload, driver and clock.

    `base` names the driver that a driver is a multiple of.
    """
    wire = floor.Wire(peers.parse(args.dsn))
    wire.run(workloads.SETUP)
    names = args.only.split(",") if args.only else every
    drivers = args.drivers.split(",")
    seen: dict[str, dict[str, Rounds]] = {w: {d: {} for d in drivers} for w in names}
    wrong: dict[str, str] = {}
    for start in range(args.starts):
        children = {name: Child(name, args.dsn) for name in drivers}
        for name in [name for name, child in children.items() if "error" in child.greeting]:
            wrong[name] = f"absent: {children.pop(name).greeting['error']}"
        for number in range(args.rounds + 1):
            warming = number == 0
            for workload in names:
                for driver, child in children.items():
                    if workload in workloads.FILLS:
                        wire.run(workloads.TRUNCATE)
                    answer = child.ask(workload, args.secs / 3 if warming else args.secs)
                    if "error" in answer:
                        wrong[f"{driver}/{workload}"] = answer["error"]
                    elif "wall" in answer and not warming:
                        seen[workload][driver][start * args.rounds + number] = answer
        for child in children.values():
            child.close()
    wire.close()
    for where, why in wrong.items():
        print(f"# {where}: {why}")
    return {
        w: {d: summary(rounds, by_driver.get(base(d), {})) for d, rounds in by_driver.items() if rounds}
        for w, by_driver in seen.items()
    }


def summary(rounds: Rounds, base: Rounds) -> dict[str, float]:
    """The medians of a driver's rounds."""
    found = {clock: statistics.median(m[clock] for m in rounds.values()) for clock in ("wall", "cpu")}
    # Round by round: what slows the whole machine down for a while slows both.
    ratios = [m["wall"] / base[number]["wall"] for number, m in rounds.items() if number in base]
    return found | ({"ratio": statistics.median(ratios)} if ratios else {})


def show(
    title: str, medians: dict[str, dict[str, dict[str, float]]], value: Callable[[dict, str], float | None]
) -> None:
    """One table, a line a workload and a column a driver."""
    drivers = list(dict.fromkeys(d for by_driver in medians.values() for d in by_driver))
    print(f"\n{title:24}" + "".join(f"{d:>13}" for d in drivers))
    for workload, by_driver in medians.items():
        cells = (value(by_driver, d) if d in by_driver else None for d in drivers)
        print(f"{workload:24}" + "".join(f"{'-':>13}" if c is None else f"{c:13.2f}" for c in cells))


def options(description: str, drivers: list[str]) -> argparse.ArgumentParser:
    """What both command lines take."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--drivers", default=",".join(drivers))
    parser.add_argument("--only", help="workloads, separated by commas")
    parser.add_argument("--starts", type=int, default=4, help="how often every driver begins anew")
    parser.add_argument("--rounds", type=int, default=3, help="rounds at each start")
    parser.add_argument("--secs", type=float, default=0.25, help="a workload's time in a round")
    parser.add_argument("--json", help="write the medians to this file")
    return parser


def save(medians: Medians, path: str | None) -> None:
    """Write them where --json says."""
    if path:
        with open(path, "w") as f:
            json.dump(medians, f, indent=1)


def main() -> None:
    """The command line."""
    args = options(__doc__ or "", list(peers.ALL)).parse_args()
    if args.child:
        serve(args.child, args.dsn)
        return
    medians = compare(args, lambda _: "psycopg2", workloads.ALL)
    show("wall us/call", medians, lambda by, d: by[d]["wall"])
    show("client CPU us/call", medians, lambda by, d: by[d]["cpu"])
    if "psycopg2" in args.drivers.split(","):
        show("wall / psycopg2", medians, lambda by, d: by[d].get("ratio"))
    save(medians, args.json)


if __name__ == "__main__":
    main()
