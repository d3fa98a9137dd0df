"""What one gateway does to a collection, and what another one that knows the old one answers then."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest

from tests.suites.pymongo.gateway import make_database, start

_numbers = itertools.count()


@pytest.fixture(scope="module")
def clients(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """Clients of two gateways on one database."""
    database = make_database(dsn, "kecoa_two_gateways")
    homes = tmp_path_factory.mktemp("gateways")
    with (
        start(database, homes / "a", os.environ, authentication=False) as one,
        start(database, homes / "b", os.environ, authentication=False) as other,
        pymongo.MongoClient[dict[str, Any]](one.url) as first,
        pymongo.MongoClient[dict[str, Any]](other.url) as second,
    ):
        yield first, second


@pytest.fixture
def two(clients: tuple[Any, Any]) -> tuple[Any, Any]:
    """An empty database, through two gateways."""
    name = f"shop_{next(_numbers)}"
    return clients[0][name], clients[1][name]


def make_anew(two: tuple[Any, Any]) -> tuple[Any, Any]:
    """Let the second know a collection that the first drops, and makes anew with three documents."""
    first, second = two
    first.goods.insert_one({"_id": 0})
    assert second.goods.find_one() == {"_id": 0}
    first.goods.drop()
    first.goods.insert_many([{"_id": n, "k": n % 2} for n in range(3)])
    return first.goods, second.goods


def test_drop_drops_what_was_made_anew(two: tuple[Any, Any]) -> None:
    first, second = make_anew(two)
    second.drop()
    assert list(first.find()) == []


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda goods: [each["_id"] for each in goods.find({"k": 0}).sort("_id")], [0, 2]),
        (lambda goods: goods.count_documents({"k": 0}), 2),
        (lambda goods: goods.distinct("k"), [0, 1]),
        (lambda goods: list(goods.aggregate([{"$count": "n"}])), [{"n": 3}]),
        (
            lambda goods: list(
                goods.database.others.aggregate(
                    [{"$lookup": {"from": "goods", "localField": "k", "foreignField": "k", "as": "x"}}]
                )
            ),
            [{"_id": 1, "k": 1, "x": [{"_id": 1, "k": 1}]}],
        ),
        (lambda goods: goods.database.command("validate", "goods")["nrecords"], 3),
        (
            lambda goods: goods.find({"k": 0}).explain()["executionStats"]["nReturned"],
            2,
        ),
    ],
    ids=["find", "count", "distinct", "aggregate", "lookup", "validate", "explain"],
)
def test_reads_find_what_was_made_anew(two: tuple[Any, Any], read: Any, expected: Any) -> None:
    two[0].others.insert_one({"_id": 1, "k": 1})
    two[1].others.find_one()
    _, second = make_anew(two)
    assert read(second) == expected


def by_out(first: Any) -> None:
    first.source.insert_many([{"_id": n, "k": n % 2} for n in range(3)])
    first.source.aggregate([{"$out": "goods"}])


def by_rename(first: Any) -> None:
    first.source.insert_many([{"_id": n, "k": n % 2} for n in range(3)])
    first.source.rename("goods", dropTarget=True)


def by_drop(first: Any) -> None:
    first.goods.drop()
    first.goods.insert_many([{"_id": n, "k": n % 2} for n in range(3)])


ANEW = [by_drop, by_out, by_rename]

# What a command does to the three documents that were made anew, and what is there then: `_id` and `k`.
WRITES: dict[str, tuple[Any, dict[int, int]]] = {
    "update_one": (lambda c, s: c.update_one({"k": 1}, {"$set": {"k": 7}}, session=s), {0: 0, 1: 7, 2: 0}),
    "update_many": (lambda c, s: c.update_many({"k": 0}, {"$set": {"k": 7}}, session=s), {0: 7, 1: 1, 2: 7}),
    "upsert": (
        lambda c, s: c.update_one({"_id": 1}, {"$set": {"k": 7}}, upsert=True, session=s),
        {0: 0, 1: 7, 2: 0},
    ),
    "replace": (lambda c, s: c.replace_one({"_id": 1}, {"k": 7}, session=s), {0: 0, 1: 7, 2: 0}),
    "delete_one": (lambda c, s: c.delete_one({"k": 1}, session=s), {0: 0, 2: 0}),
    "delete_many": (lambda c, s: c.delete_many({"k": 0}, session=s), {1: 1}),
    "find_and_update": (
        lambda c, s: c.find_one_and_update({"k": 1}, {"$set": {"k": 7}}, session=s),
        {0: 0, 1: 7, 2: 0},
    ),
    "find_and_delete": (lambda c, s: c.find_one_and_delete({"k": 1}, session=s), {0: 0, 2: 0}),
    "insert": (lambda c, s: c.insert_one({"_id": 3, "k": 7}, session=s), {0: 0, 1: 1, 2: 0, 3: 7}),
    "bulk": (
        lambda c, s: c.bulk_write(
            [
                pymongo.UpdateMany({"k": 0}, {"$set": {"k": 7}}),
                pymongo.DeleteOne({"k": 1}),
                pymongo.InsertOne({"_id": 3, "k": 8}),
            ],
            session=s,
        ),
        {0: 7, 2: 7, 3: 8},
    ),
    "client_bulk": (
        lambda c, s: c.database.client.bulk_write(
            [
                pymongo.UpdateMany({"k": 0}, {"$set": {"k": 7}}, namespace=c.full_name),
                pymongo.DeleteOne({"k": 1}, namespace=c.full_name),
            ],
            session=s,
        ),
        {0: 7, 2: 7},
    ),
}


@pytest.mark.parametrize("anew", ANEW)
@pytest.mark.parametrize("name", WRITES)
def test_writes_change_what_was_made_anew(two: tuple[Any, Any], anew: Any, name: str) -> None:
    first, second = two
    write, expected = WRITES[name]
    first.goods.insert_one({"_id": 0})
    assert second.goods.find_one() == {"_id": 0}
    anew(first)
    write(second.goods, None)
    assert {one["_id"]: one["k"] for one in first.goods.find()} == expected


@pytest.mark.parametrize("anew", ANEW)
@pytest.mark.parametrize("stage", [{"$out": "target"}, {"$merge": "target"}], ids=["out", "merge"])
def test_what_is_made_anew_is_written_elsewhere(two: tuple[Any, Any], anew: Any, stage: Any) -> None:
    first, second = two
    first.goods.insert_one({"_id": 0})
    first.target.insert_one({"_id": 0})
    assert second.goods.find_one() == second.target.find_one()
    anew(first)
    first.target.drop()
    first.target.insert_one({"_id": 0, "k": 9})
    second.goods.aggregate([{"$match": {"k": 0}}, stage])
    assert {one["_id"]: one["k"] for one in first.target.find()} == {0: 0, 2: 0}


@pytest.mark.parametrize("anew", ANEW)
@pytest.mark.parametrize("name", ["find", *WRITES])
def test_a_transaction_that_begins_later_sees_what_was_made_anew(
    two: tuple[Any, Any], anew: Any, name: str
) -> None:
    first, second = two
    first.goods.insert_one({"_id": 0})
    assert second.goods.find_one() == {"_id": 0}
    anew(first)
    with second.client.start_session() as session, session.start_transaction():
        if name == "find":
            assert second.goods.count_documents({"k": 0}, session=session) == 2
            expected = {0: 0, 1: 1, 2: 0}
        else:
            write, expected = WRITES[name]
            write(second.goods, session)
    assert {one["_id"]: one["k"] for one in first.goods.find()} == expected


@pytest.mark.parametrize("anew", ANEW)
@pytest.mark.parametrize("name", WRITES)
def test_a_transaction_that_began_before_conflicts(two: tuple[Any, Any], anew: Any, name: str) -> None:
    first, second = two
    first.goods.insert_many([{"_id": 1, "k": 1}, {"_id": 2, "k": 0}])
    first.other.insert_one({"_id": 0})
    with second.client.start_session() as session:
        session.start_transaction()
        assert second.other.find_one({}, session=session) == {"_id": 0}
        anew(first)
        # It reads what was there when it began, and changes nothing of it.
        assert second.goods.count_documents({}, session=session) == 2
        write, _ = WRITES[name]
        with pytest.raises(pymongo.errors.PyMongoError) as failure:
            write(second.goods, session)
        # That of a client's bulk holds the error of its one command.
        error = getattr(failure.value, "error", failure.value)
        assert error.code == 112, error
        assert error.has_error_label("TransientTransactionError")
        session.abort_transaction()
    assert {one["_id"]: one["k"] for one in first.goods.find()} == {0: 0, 1: 1, 2: 0}


def test_a_view_that_was_made_anew_shows_the_new_one(two: tuple[Any, Any]) -> None:
    first, second = two
    first.goods.insert_many([{"_id": n, "k": n % 2} for n in range(3)])
    first.create_collection("some", viewOn="goods", pipeline=[{"$match": {"k": 1}}])
    assert second.some.count_documents({}) == 1
    first.some.drop()
    first.create_collection("some", viewOn="goods", pipeline=[{"$match": {"k": 0}}])
    assert second.some.count_documents({}) == 2
    first.command("collMod", "some", viewOn="goods", pipeline=[])
    assert second.some.count_documents({}) == 3
    first.some.drop()
    first.some.insert_one({"_id": 7})
    assert second.some.find_one() == {"_id": 7}
    first.some.drop()
    assert second.some.count_documents({}) == 0


def test_a_read_of_what_was_dropped_finds_nothing(two: tuple[Any, Any]) -> None:
    first, second = two
    first.goods.insert_one({"_id": 0})
    assert second.goods.find_one() == {"_id": 0}
    first.goods.drop()
    assert second.goods.find_one() is None
    assert second.goods.count_documents({}) == 0
