"""No request can take too much: what computes is stopped, and others are served meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from tests.gateways import Gateway
from tests.mongo.raw import Connection

Document = dict[str, Any]

# Hours of work on one document, without a pause in which anything else could stop it.
BUSY: Document = {
    "$map": {
        "input": {"$range": [0, 100_000]},
        "as": "n",
        "in": {
            "$reduce": {
                "input": {"$range": [0, 100_000]},
                "initialValue": "$_id",
                "in": {"$add": ["$$value", "$$this", "$$n"]},
            }
        },
    }
}
# What a stopped command may still take on a slow machine.
SOON = 10.0


def busy(collection: str = "c", **more: Any) -> Document:
    return {"aggregate": collection, "pipeline": [{"$project": {"x": BUSY}}], "cursor": {}} | more


def eventually(holds: Callable[[], bool], seconds: float = SOON) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def running(client: Any, name: str = "aggregate") -> list[Document]:
    return [one for one in client.admin.command("currentOp")["inprog"] if name in one["command"]]


def in_background(action: Callable[[], Any]) -> Callable[[], int | None]:
    """Start a command that fails; waiting for it gives its code."""
    codes: list[int | None] = []

    def run() -> None:
        try:
            action()
        except OperationFailure as error:
            codes.append(error.code)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait() -> int | None:
        thread.join(SOON)
        assert codes, "the command still runs, or has succeeded"
        return codes[0]

    return wait


@pytest.mark.parametrize(
    "command",
    [
        busy(),
        {"find": "c", "filter": {"$expr": {"$eq": [BUSY, 1]}}},
        {"find": "c", "projection": {"x": BUSY}},
        {"count": "c", "query": {"$expr": {"$eq": [BUSY, 1]}}},
        {"distinct": "c", "key": "a", "query": {"$expr": {"$eq": [BUSY, 1]}}},
        {"update": "c", "updates": [{"q": {}, "u": [{"$set": {"x": BUSY}}]}]},
        {"delete": "c", "deletes": [{"q": {"$expr": {"$eq": [BUSY, 1]}}, "limit": 0}]},
        {"findAndModify": "c", "query": {}, "update": [{"$set": {"x": BUSY}}]},
        {"aggregate": "c", "pipeline": [{"$group": {"_id": BUSY}}], "cursor": {}},
        {
            "aggregate": "c",
            "pipeline": [{"$lookup": {"from": "c", "as": "x", "pipeline": [{"$set": {"x": BUSY}}]}}],
            "cursor": {},
        },
    ],
    ids=lambda command: next(iter(command)),
)
def test_computing_ends_with_its_time(db: Any, command: Document) -> None:
    db.c.insert_one({"_id": 1, "a": 1})
    started = time.monotonic()
    with pytest.raises(OperationFailure) as failure:
        db.command(command | {"maxTimeMS": 100})
    assert failure.value.code == 50
    assert time.monotonic() - started < SOON


def test_computing_is_killed(client: Any, db: Any) -> None:
    db.c.insert_one({"_id": 1})
    wait = in_background(lambda: db.command(busy()))
    eventually(lambda: bool(running(client)))
    for one in running(client):
        client.admin.command("killOp", op=one["opid"])
    assert wait() == 11601
    with client.start_session() as session:
        wait = in_background(lambda: db.command(busy(), session=session))
        eventually(lambda: bool(running(client)))
        client.admin.command("killSessions", [session.session_id])
        assert wait() == 11601


def test_a_cursor_that_is_read_is_killed(client: Any, db: Any) -> None:
    db.c.insert_many([{"_id": n} for n in range(3)])
    costly = {"$cond": [{"$lt": ["$_id", 2]}, 0, BUSY]}
    cursor = db.c.aggregate([{"$sort": {"_id": 1}}, {"$project": {"x": costly}}], batchSize=2)
    wait = in_background(lambda: list(cursor))
    eventually(lambda: bool(running(client, "getMore")))
    killed = db.command("killCursors", "c", cursors=[cursor.cursor_id])
    assert killed["cursorsKilled"] == [cursor.cursor_id]
    assert wait() == 237
    assert client.admin.command("serverStatus")["metrics"]["cursor"]["open"]["total"] == 0


def test_computing_ends_with_its_client(gateway: Gateway, client: Any, db: Any) -> None:
    db.c.insert_one({"_id": 1})
    with Connection(gateway.url, timeout=0.3) as connection, pytest.raises(TimeoutError):
        connection.command(busy(), db.name)
    eventually(lambda: not running(client))


def test_others_are_served_while_many_compute(gateway: Gateway, client: Any, db: Any) -> None:
    db.c.insert_one({"_id": 1})
    with pymongo.MongoClient(gateway.url, maxPoolSize=None) as crowd:
        waits = [in_background(lambda: crowd[db.name].command(busy(maxTimeMS=4000))) for _ in range(40)]
        eventually(lambda: len(running(client)) > 16)
        with Connection(gateway.url) as connection:
            slowest = 0.0
            for _ in range(10):
                started = time.monotonic()
                assert connection.command({"hello": 1}, "admin")["ok"] == 1
                slowest = max(slowest, time.monotonic() - started)
                time.sleep(0.05)
        # Loaded machines have their pauses; without threads for it, hello would wait for the four seconds.
        assert slowest < 1.5
        assert {wait() for wait in waits} == {50}
