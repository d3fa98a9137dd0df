"""Change streams: nothing lost, nothing twice, in order; through two gateways, transactions, a lost gateway."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure, PyMongoError

from tests.gateways import Gateway
from tests.suites.pymongo.gateway import start

Documents = pymongo.MongoClient[dict[str, Any]]


@contextmanager
def _clients(database: str, folder: Path, count: int = 2) -> Iterator[list[tuple[Gateway, Documents]]]:
    """Gateways on one database, a client of each."""
    opened: list[tuple[Gateway, Documents]] = []
    contexts = []
    try:
        for number in range(count):
            context = start(database, folder / f"gateway{number}", os.environ, authentication=False)
            gateway = context.__enter__()
            contexts.append(context)
            opened.append((gateway, pymongo.MongoClient[dict[str, Any]](gateway.url)))
        yield opened
    finally:
        for _, client in opened:
            client.close()
        for context in reversed(contexts):
            context.__exit__(None, None, None)


@pytest.fixture(params=["PostgreSQL", "local"])
def shared(request: pytest.FixtureRequest) -> str:
    """The connection string of a database, of each kind."""
    if request.param == "local":
        return str(request.getfixturevalue("endpoint").url)
    return str(request.getfixturevalue("database"))


def _read(stream: Any, count: int, seconds: float = 60) -> list[dict[str, Any]]:
    """So many events, or those that came in time."""
    events: list[dict[str, Any]] = []
    until = time.monotonic() + seconds
    while len(events) < count and time.monotonic() < until and stream.alive:
        event = stream.try_next()
        if event is not None:
            events.append(event)
    return events


def test_events_of_single_writes(db: Any) -> None:
    """What each write is told as."""
    things = db.things
    with things.watch(max_await_time_ms=200) as stream:
        things.insert_one({"_id": 1, "a": 1})
        things.update_one({"_id": 1}, {"$set": {"a": 2}, "$unset": {"b": 1}})
        things.replace_one({"_id": 1}, {"c": 3})
        things.update_one({"_id": 2}, {"$set": {"a": 1}}, upsert=True)
        things.find_one_and_update({"_id": 2}, {"$inc": {"a": 1}})
        things.find_one_and_delete({"_id": 2})
        things.delete_one({"_id": 1})
        events = _read(stream, 7)
    assert [event["operationType"] for event in events] == [
        "insert",
        "update",
        "replace",
        "insert",
        "update",
        "delete",
        "delete",
    ]
    assert all(event["ns"] == {"db": db.name, "coll": "things"} for event in events)
    assert [event["documentKey"]["_id"] for event in events] == [1, 1, 1, 2, 2, 2, 1]
    assert events[0]["fullDocument"] == {"_id": 1, "a": 1}
    assert events[1]["updateDescription"] == {
        "updatedFields": {"a": 2},
        "removedFields": [],
        "truncatedArrays": [],
    }
    assert events[2]["fullDocument"] == {"_id": 1, "c": 3}
    assert events[4]["updateDescription"]["updatedFields"] == {"a": 2}
    tokens = [event["_id"]["_data"] for event in events]
    assert tokens == sorted(tokens)
    times = [event["clusterTime"] for event in events]
    assert times == sorted(times)


def test_many_at_once(db: Any) -> None:
    """Writes of many documents, with and without an index."""
    things = db.things
    things.create_index("a")
    with things.watch(max_await_time_ms=200) as stream:
        things.insert_many([{"_id": number, "a": number} for number in range(2500)])
        things.update_many({"_id": {"$lt": 1200}}, {"$inc": {"a": 1}})
        things.delete_many({"_id": {"$gte": 2000}})
        events = _read(stream, 2500 + 1200 + 500)
        assert stream.try_next() is None
    kinds = [event["operationType"] for event in events]
    assert (kinds.count("insert"), kinds.count("update"), kinds.count("delete")) == (2500, 1200, 500)
    assert [event["documentKey"]["_id"] for event in events[:2500]] == list(range(2500))


def test_streams_of_databases_and_of_all(client: Documents, db: Any) -> None:
    """What a database's stream and the cluster's see, and what ends them."""
    with (
        db.watch(max_await_time_ms=200) as of_database,
        client.watch(max_await_time_ms=200) as of_all,
    ):
        db.a.insert_one({"_id": 1})
        db.b.insert_one({"_id": 2})
        client[f"{db.name}_other"].c.insert_one({"_id": 3})
        client.drop_database(db.name)
        client.drop_database(f"{db.name}_other")
        seen = [event["operationType"] for event in _read(of_database, 6)]
        assert seen == ["insert", "insert", "drop", "drop", "dropDatabase", "invalidate"]
        assert not of_database.alive
        seen = [event["operationType"] for event in _read(of_all, 8)]
        assert seen.count("insert") == 3
        assert seen.count("drop") == 3
        assert seen.count("dropDatabase") == 2


def test_what_ends_a_stream_of_a_collection(db: Any) -> None:
    """A drop and a rename are told, then the stream is over; startAfter goes on behind it."""
    for end in ("drop", "rename"):
        db.things.insert_one({})
        with db.things.watch(max_await_time_ms=200) as stream:
            if end == "drop":
                db.things.drop()
            else:
                db.things.rename("others", dropTarget=True)
            told, last = _read(stream, 2)
            assert told["operationType"] == end
            assert last["operationType"] == "invalidate"
            assert not stream.alive
        with pytest.raises(OperationFailure) as refused:
            db.things.watch(resume_after=last["_id"])
        assert refused.value.code == 260
        # The event before ends the stream again.
        with db.things.watch(resume_after=told["_id"], max_await_time_ms=200) as stream:
            assert [event["operationType"] for event in _read(stream, 1)] == ["invalidate"]
        with db.things.watch(start_after=last["_id"], max_await_time_ms=200) as stream:
            db.things.insert_one({"_id": "new"})
            assert _read(stream, 1)[0]["documentKey"] == {"_id": "new"}


def test_transactions(client: Documents, db: Any) -> None:
    """A transaction's events stand together and name it; one that is aborted leaves none."""
    things = db.things
    things.insert_one({"_id": 0})
    with things.watch(max_await_time_ms=200) as stream, client.start_session() as session:
        lsid = session.session_id["id"]
        for number in range(6):
            session.start_transaction()
            for step in range(3):
                things.insert_one({"_id": f"{number}.{step}"}, session=session)
            things.update_one({"_id": 0}, {"$set": {"n": number}}, session=session)
            things.insert_one({"_id": f"outside {number}"})
            if number % 2:
                session.abort_transaction()
            else:
                session.commit_transaction()
        events = _read(stream, 6 + 3 * 4)
        assert stream.try_next() is None
    told = [event["documentKey"]["_id"] for event in events]
    expected: list[Any] = []
    for number in range(6):
        expected.append(f"outside {number}")
        if number % 2 == 0:
            expected += [f"{number}.0", f"{number}.1", f"{number}.2", 0]
    assert told == expected
    for event in events:
        within = not str(event["documentKey"]["_id"]).startswith("outside")
        assert ("txnNumber" in event and "lsid" in event) is within
        if within:
            assert event["lsid"]["id"] == lsid


def test_images(db: Any) -> None:
    """Documents before and after, and as they are looked up."""
    db.create_collection("things", changeStreamPreAndPostImages={"enabled": True})
    db.things.insert_one({"_id": 1, "a": 1})
    with (
        db.things.watch(
            full_document="required", full_document_before_change="required", max_await_time_ms=200
        ) as stream,
        db.things.watch(full_document="updateLookup", max_await_time_ms=200) as looking,
    ):
        db.things.update_one({"_id": 1}, {"$set": {"a": 2}})
        db.things.update_one({"_id": 1}, {"$set": {"a": 3}})
        db.things.delete_one({"_id": 1})
        first, second, third = _read(stream, 3)
        assert first["fullDocumentBeforeChange"] == {"_id": 1, "a": 1}
        assert first["fullDocument"] == {"_id": 1, "a": 2}
        assert second["fullDocument"] == {"_id": 1, "a": 3}
        assert third["fullDocumentBeforeChange"] == {"_id": 1, "a": 3}
        found = _read(looking, 3)
        assert found[0]["fullDocument"] is None
        assert "fullDocument" not in found[2]


def test_stages(db: Any) -> None:
    """Stages see events; those that take away the token end the stream."""
    things = db.things
    with (
        things.watch(
            [{"$match": {"operationType": "insert"}}, {"$project": {"fullDocument.a": 1}}],
            max_await_time_ms=200,
        ) as stream,
        things.watch([{"$unset": "_id"}], max_await_time_ms=200) as broken,
    ):
        things.insert_one({"_id": 1, "a": 5, "b": 6})
        things.delete_one({"_id": 1})
        things.insert_one({"_id": 2, "a": 7, "b": 8})
        events = _read(stream, 2)
        assert [event["fullDocument"] for event in events] == [{"a": 5}, {"a": 7}]
        with pytest.raises(OperationFailure) as failed:
            broken.next()
        assert failed.value.code == 280
        assert failed.value.has_error_label("NonResumableChangeStreamError")
    with pytest.raises(OperationFailure) as refused:
        things.watch([{"$group": {"_id": None}}])
    assert refused.value.code == 20


def test_expanded_events(db: Any) -> None:
    """Collections and indexes that are made, changed and dropped."""
    with db.watch(show_expanded_events=True, max_await_time_ms=200) as stream:
        db.create_collection("things")
        db.things.create_index("a", name="by_a")
        db.command("collMod", "things", changeStreamPreAndPostImages={"enabled": True})
        db.things.drop_index("by_a")
        db.things.drop()
        events = _read(stream, 5)
    assert [event["operationType"] for event in events] == [
        "create",
        "createIndexes",
        "modify",
        "dropIndexes",
        "drop",
    ]
    assert len({event["collectionUUID"] for event in events}) == 1
    assert events[1]["operationDescription"]["indexes"][0]["name"] == "by_a"


def test_the_log_does_not_reach_back(database: str, tmp_path: Path) -> None:
    """Nobody watched: a time before that cannot be gone back to; a time that somebody watched can."""
    with _clients(database, tmp_path, 1) as [(_, client)]:
        things = client.d.things
        before = client.admin.command("ping")["operationTime"]
        things.insert_one({"_id": 1})
        with pytest.raises(OperationFailure) as refused:
            things.watch(start_at_operation_time=before)
        assert refused.value.code == 286
        with things.watch():
            pass
        after = client.admin.command("ping")["operationTime"]
        things.insert_one({"_id": 2})
        with things.watch(start_at_operation_time=after, max_await_time_ms=200) as stream:
            assert [event["documentKey"]["_id"] for event in _read(stream, 1)] == [2]


def test_hello_goes_on_while_streams_wait(gateway: Gateway) -> None:
    """More streams wait than the gateway has connections to the database."""
    with pymongo.MongoClient[dict[str, Any]](gateway.url, maxPoolSize=60) as client:
        streams = [client.waiting.things.watch(max_await_time_ms=3000) for _ in range(40)]
        threads = [threading.Thread(target=stream.try_next) for stream in streams]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        begun = time.monotonic()
        client.admin.command("ping")
        client.waiting.others.insert_one({})
        assert time.monotonic() - begun < 2
        for thread in threads:
            thread.join()
        for stream in streams:
            stream.close()
        client.drop_database("waiting")


def test_concurrent_writers_on_two_gateways(shared: str, tmp_path: Path) -> None:
    """Each committed write once, none of an aborted one, those of a writer in their order, on every gateway."""
    with _clients(shared, tmp_path) as opened:
        clients = [client for _, client in opened]
        name = f"d_{uuid.uuid4().hex}"
        clients[0][name].things.insert_one({"_id": "counter", "n": 0})
        streams = [client[name].things.watch(max_await_time_ms=200) for client in clients]
        committed: dict[int, list[str]] = {}
        counted = [0]
        failures: list[PyMongoError] = []
        lock = threading.Lock()

        def write(writer: int) -> None:
            client = clients[writer % 2]
            things = client[name].things
            done: list[str] = []
            for number in range(40):
                own = f"{writer}.{number}"
                if number % 4 == 3:
                    with client.start_session() as session:
                        try:
                            with session.start_transaction():
                                things.insert_one({"_id": own}, session=session)
                                things.insert_one({"_id": f"{own}b"}, session=session)
                                if number % 8 == 7:
                                    raise ValueError("aborted")
                        except ValueError:
                            continue
                        except PyMongoError as error:
                            if not error.has_error_label("TransientTransactionError"):
                                failures.append(error)
                            continue
                    done += [own, f"{own}b"]
                else:
                    things.insert_one({"_id": own})
                    done.append(own)
                    things.update_one({"_id": "counter"}, {"$inc": {"n": 1}})
                    with lock:
                        counted[0] += 1
            committed[writer] = done

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(6)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join(120)
        assert not failures
        expected = sum(len(done) for done in committed.values()) + counted[0]
        told = [_read(stream, expected) for stream in streams]
        for stream, events in zip(streams, told, strict=True):
            assert stream.try_next() is None
            assert len(events) == expected
            for writer, done in committed.items():
                told_of = [
                    event["documentKey"]["_id"]
                    for event in events
                    if event["operationType"] == "insert"
                    and event["documentKey"]["_id"].startswith(f"{writer}.")
                ]
                assert told_of == done
            counts = [
                event["updateDescription"]["updatedFields"]["n"]
                for event in events
                if event["operationType"] == "update"
            ]
            assert counts == list(range(1, counted[0] + 1))
        tokens = [[event["_id"] for event in events] for events in told]
        assert tokens[0] == tokens[1]


def test_a_stream_goes_on_at_another_gateway(shared: str, tmp_path: Path) -> None:
    """A token of one gateway is good at the other, whose own events it is behind, and after the first was killed."""
    with _clients(shared, tmp_path) as opened:
        (first, one), (_, other) = opened
        name = f"d_{uuid.uuid4().hex}"
        stream = one[name].things.watch(max_await_time_ms=200)
        one[name].things.insert_many([{"_id": number} for number in range(20)])
        events = _read(stream, 7)
        token = stream.resume_token
        first.kill()
        other[name].things.insert_many([{"_id": number} for number in range(20, 40)])
        with other[name].things.watch(resume_after=token, max_await_time_ms=200) as resumed:
            events += _read(resumed, 33)
            assert resumed.try_next() is None
        assert [event["documentKey"]["_id"] for event in events] == list(range(40))
