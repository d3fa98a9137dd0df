"""The rules of the pool in virtual time: the table of scenarios that the Rust client is held to as well."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings as tried, strategies as st

from kecoa.pool import _actions as actions, _core as core
from kecoa.pool._settings import Settings

TABLE = Path(__file__).resolve().parents[3] / "crates/kecoa/src/pool/scenarios.txt"


def scenarios() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in TABLE.read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("scenario "):
            steps = found[text.removeprefix("scenario ")] = []
        elif text:
            steps.append(text)
    return found


def value(text: str) -> Any:
    return None if text == "none" else float(text) if "." in text else int(text)


def made(line: str) -> core.Core:
    values: dict[str, Any] = {}
    for pair in line.removeprefix("set ").split():
        name, _, text = pair.partition("=")
        values[name] = value(text)
    chance = values.pop("random", 0.5)
    return core.Core(Settings(**values), lambda: chance)


def written(action: actions.Action) -> str:
    match action:
        case actions.Open(conn):
            return f"open c{conn}"
        case actions.Check(conn, waiter, ask):
            return f"check c{conn} w{waiter} {'ask' if ask else 'look'}"
        case actions.Grant(waiter, conn):
            return f"grant w{waiter} c{conn}"
        case actions.Expire(waiter):
            return f"expire w{waiter}"
        case actions.Fail(waiter, conn):
            return f"fail w{waiter} c{conn}"
        case actions.Refuse(waiter, why):
            return f"refuse w{waiter} {why}"
        case actions.Close(conn, reason):
            return f"close c{conn} {reason}"
        case actions.Look(conn):
            return f"look c{conn}"
        case actions.Leak(conn, held):
            return f"leak c{conn} {held:g}"


def figure(pool: core.Core, name: str) -> str:
    if name.startswith("closed."):
        found: Any = pool.counters.closed[name.removeprefix("closed.")]  # type: ignore[index]
    elif hasattr(pool.counters, name):
        found = getattr(pool.counters, name)
    else:
        found = getattr(pool, name)
    return f"{name}={found:g}"


class Looks:
    """Checkouts without a wait: taken at once, looked at later, as the pools do it."""

    def __init__(self, pool: core.Core) -> None:
        self.pool = pool
        # By the connection: the waiter, when it asked and for how long.
        self.taken: dict[int, tuple[int, float, float]] = {}

    def answer(self, now: float, name: str, ids: list[int], words: list[str]) -> str | None:
        """Make a call of the table in this way; None where it must be made in the other."""
        pool = self.pool
        if name == "acquire":
            conn = pool.take(now)
            if conn:
                self.taken[conn] = ids[0], now, float(words[1])
                return f"check c{conn} w{ids[0]} look"
        elif name == "checked" and ids[0] in self.taken:
            waiter, asked, timeout = self.taken.pop(ids[0])
            if words[1] == "good":
                return f"grant w{waiter} c{ids[0]}"
            assert pool.deny(now, ids[0], asked, timeout) == waiter
            return flushed(pool)
        elif name == "release" and not words[1:] and pool.give_back(now, ids[0]):
            return ""
        return None


def flushed(pool: core.Core) -> str:
    actions = [written(action) for action in pool.actions]
    pool.actions.clear()
    return "; ".join(actions)


def answer(pool: core.Core, now: float, call: str, expected: str, looks: Looks | None = None) -> str:
    """Make the call of a line, and write what follows from it."""
    name, *words = call.split()
    ids = [int(word[1:]) for word in words if word[0] in "cw" and word[1:].isdigit()]
    found = None if looks is None else looks.answer(now, name, ids, words)
    if found is not None:
        assert not pool.actions
        return found
    if name == "open":
        pool.open(now, dormant=words == ["dormant"])
    elif name == "acquire":
        assert pool.acquire(now, float(words[1])) == ids[0]
    elif name == "failed":
        pool.open_failed(now, ids[0], words[1])  # type: ignore[arg-type]
    elif name == "checked":
        pool.checked(now, ids[0], words[1] == "good")
    elif name == "release":
        pool.release(now, ids[0], words[1] if words[1:] else None)  # type: ignore[arg-type]
    elif name == "resize":
        pool.resize(now, int(words[0]), int(words[1]))
    elif name in ("opened", "lost", "collected"):
        getattr(pool, name)(now, ids[0])
    elif name == "cancel":
        pool.cancel(now, ids[0])
    elif name == "close":
        pool.close()
    elif name in ("drain", "tick"):
        getattr(pool, name)(now)
    elif name == "due":
        return "never" if pool.due == math.inf else f"{pool.due:g}"
    elif name == "figures":
        return " ".join(figure(pool, pair.partition("=")[0]) for pair in expected.split())
    else:
        raise AssertionError(f"no such call: {call}")
    return flushed(pool)


#: While a connection that `take` gave is looked at it counts as checked out: nobody gives up, and it comes back later.
NOT_WITHOUT_A_WAIT = {
    "a waiter gives up while its connection is being checked",
    "closed while a connection is being checked",
}


@pytest.mark.parametrize("name", list(scenarios()))
def test_scenario(name: str) -> None:
    run(name, looking_at_once=False)


@pytest.mark.parametrize("name", [name for name in scenarios() if name not in NOT_WITHOUT_A_WAIT])
def test_scenario_without_a_wait(name: str) -> None:
    """`take`, `deny` and `give_back` come to the same as `acquire`, `checked` and `release`."""
    run(name, looking_at_once=True)


def test_the_table_says_what_is_different_without_a_wait() -> None:
    assert NOT_WITHOUT_A_WAIT < set(scenarios())


def run(name: str, *, looking_at_once: bool) -> None:
    settings, *steps = scenarios()[name]
    pool = made(settings)
    looks = Looks(pool) if looking_at_once else None
    for step in steps:
        call, _, expected = step.partition("=>")
        now, _, call = call.partition(" ")
        assert (
            f"{step}\n{answer(pool, float(now), call, expected.strip(), looks)}"
            == f"{step}\n{expected.strip()}"
        )


class Driver:
    """What a pool around the core would know, kept beside it to find contradictions."""

    def __init__(self, pool: core.Core) -> None:
        self.pool = pool
        self.opening: list[int] = []
        self.open: list[int] = []
        self.in_use: list[int] = []
        self.checking: dict[int, int] = {}
        self.waiting: list[int] = []

    def follow(self) -> None:
        pool = self.pool
        for action in pool.actions:
            match action:
                case actions.Open(conn):
                    assert conn not in self.opening + self.open
                    self.opening.append(conn)
                case actions.Check(conn, waiter):
                    assert conn in self.open
                    assert conn not in [*self.in_use, *self.checking]
                    assert waiter in self.waiting
                    self.checking[conn] = waiter
                case actions.Grant(waiter, conn):
                    assert conn in self.open
                    assert conn not in self.in_use
                    self.checking.pop(conn, None)
                    self.waiting.remove(waiter)
                    self.in_use.append(conn)
                case actions.Expire(waiter) | actions.Fail(waiter) | actions.Refuse(waiter):
                    self.waiting.remove(waiter)
                case actions.Close(conn):
                    self.open.remove(conn)
                    self.checking.pop(conn, None)
                    if conn in self.in_use:
                        self.in_use.remove(conn)
                case actions.Look(conn):
                    assert conn in self.open
                    assert conn not in [*self.in_use, *self.checking]
                case actions.Leak(conn):
                    assert conn in self.in_use
        pool.actions.clear()
        assert pool.size == len(self.open)
        assert pool.opening == len(self.opening)
        assert len(pool.holders()) == len(self.in_use)
        assert pool.idle == len(self.open) - len(self.in_use) - len(self.checking)
        assert not pool.waiting or not pool.idle
        # Nobody forgets to look after what is idle or held for too long.
        leak_after = pool.settings.leak_after
        for record in pool._conns.values():
            assert record.id not in pool._idle or pool.due <= record.ends_at
            assert (
                record.id not in self.in_use or record.leak_reported or pool.due <= record.since + leak_after
            )

    def do(self, now: float, what: int, choice: int) -> None:
        pool = self.pool
        due = pool.due
        conn = pool.take(now) if what == 2 else 0
        if conn:
            assert pool.due == due
            if choice % 4:
                self.in_use.append(conn)
            else:
                self.waiting.append(pool.deny(now, conn, now, 8.0))
        elif what <= 2:
            self.waiting.append(pool._last_waiter + 1)
            pool.acquire(now, 8.0)
        elif what <= 4 and self.opening:
            conn = self.opening.pop(choice % len(self.opening))
            self.open.append(conn)
            pool.opened(now, conn)
        elif what == 5 and self.opening:
            failures: list[actions.Failure] = ["busy", "unreachable", "final"]
            pool.open_failed(now, self.opening.pop(choice % len(self.opening)), failures[choice % 3])
        elif what <= 7 and self.checking:
            pool.checked(now, list(self.checking)[choice % len(self.checking)], choice % 3 > 0)
        elif what <= 9 and self.in_use:
            conn = self.in_use.pop(choice % len(self.in_use))
            if what == 8 and pool.give_back(now, conn):
                assert pool.due == due
            else:
                pool.release(now, conn, "broken" if choice % 5 == 0 else None)
        elif what == 10 and self.waiting:
            waiter = self.waiting.pop(choice % len(self.waiting))
            self.checking = {conn: other for conn, other in self.checking.items() if other != waiter}
            pool.cancel(now, waiter)
        elif what == 11:
            pool.drain(now)
        elif what == 12 and self.in_use and choice % 4 == 0:
            pool.collected(now, self.in_use[choice % len(self.in_use)])
        elif what == 12 and self.open:
            pool.lost(now, self.open[choice % len(self.open)])
        elif what == 13 and choice % 8 == 0:
            pool.close()
            self.follow()
            pool.open(now)
        else:
            pool.tick(now)
        self.follow()


@tried(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(0, 14), st.integers(0, 255), st.floats(0, 3)), max_size=120),
    sizes=st.tuples(st.integers(0, 4), st.integers(1, 5)),
    max_waiting=st.integers(0, 3),
)
def test_in_any_order(steps: list[tuple[int, int, float]], sizes: tuple[int, int], max_waiting: int) -> None:
    """No connection is checked out twice, nobody waits while one is idle, and everything comes to rest."""
    limits = Settings(
        min_size=min(sizes),
        max_size=sizes[1],
        max_waiting=max_waiting,
        max_lifetime=40,
        max_idle=15,
        leak_after=20,
        check_after=5,
    )
    driver = Driver(core.Core(limits, lambda: 0.5))
    pool = driver.pool
    now = 0.0
    pool.open(now)
    driver.follow()
    for what, choice, passes in steps:
        now += passes
        driver.do(now, what, choice)
        assert pool.size + pool.opening <= pool.max_size
    for _ in range(60):
        while driver.opening:
            driver.do(now, 3, 0)
        while driver.checking:
            driver.do(now, 6, 1)
        while driver.in_use:
            driver.do(now, 8, 1)
        now = now if pool.due == math.inf else max(now, pool.due)
        pool.tick(now)
        driver.follow()
    assert not pool.waiting
    assert not pool.stale
    assert pool.size + pool.opening >= pool.min_size
