"""The rules of the pool in virtual time: the table of scenarios that the Rust client is held to as well."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from kecoa.pool import _core as core
from kecoa.pool._settings import Settings

TABLE = Path(__file__).resolve().parents[2] / "crates/kecoa/src/pool/scenarios.txt"


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
    given: dict[str, Any] = {}
    for pair in line.removeprefix("set ").split():
        name, _, text = pair.partition("=")
        given[name] = value(text)
    chance = given.pop("random", 0.5)
    return core.Core(Settings(**given), lambda: chance)


def spelt(action: core.Action) -> str:
    match action:
        case core.Open(conn):
            return f"open c{conn}"
        case core.Check(conn, waiter, ask):
            return f"check c{conn} w{waiter} {'ask' if ask else 'look'}"
        case core.Grant(waiter, conn):
            return f"grant w{waiter} c{conn}"
        case core.Expire(waiter):
            return f"expire w{waiter}"
        case core.Fail(waiter, conn):
            return f"fail w{waiter} c{conn}"
        case core.Refuse(waiter, why):
            return f"refuse w{waiter} {why}"
        case core.Close(conn, reason):
            return f"close c{conn} {reason}"
        case core.Look(conn):
            return f"look c{conn}"
        case core.Leak(conn, held):
            return f"leak c{conn} {held:g}"


def figure(pool: core.Core, name: str) -> str:
    if name.startswith("closed."):
        found: Any = pool.counters.closed[name.removeprefix("closed.")]  # type: ignore[index]
    elif hasattr(pool.counters, name):
        found = getattr(pool.counters, name)
    else:
        found = getattr(pool, name)
    return f"{name}={found:g}"


def answer(pool: core.Core, now: float, call: str, expected: str) -> str:
    """Make the call of a line, and spell what follows from it."""
    name, *words = call.split()
    ids = [int(word[1:]) for word in words if word[0] in "cw" and word[1:].isdigit()]
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
    actions = [spelt(action) for action in pool.actions]
    pool.actions.clear()
    return "; ".join(actions)


@pytest.mark.parametrize("name", list(scenarios()))
def test_scenario(name: str) -> None:
    settings, *steps = scenarios()[name]
    pool = made(settings)
    for step in steps:
        call, _, expected = step.partition("=>")
        now, _, call = call.partition(" ")
        assert f"{step}\n{answer(pool, float(now), call, expected.strip())}" == f"{step}\n{expected.strip()}"
