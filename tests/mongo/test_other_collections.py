"""Stages that read and write other collections."""

from __future__ import annotations

from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure


@pytest.fixture
def shop(db: Any) -> Any:
    """Orders, and the goods that they name."""
    db.goods.insert_many(
        [
            {"_id": 1, "sku": "a", "price": 3, "parts": ["x", "y"]},
            {"_id": 2, "sku": "b", "price": 5},
            {"_id": 3, "sku": None, "price": 7},
            {"_id": 4, "price": 9},
        ]
    )
    db.orders.insert_many(
        [{"_id": 1, "item": "a"}, {"_id": 2, "item": ["a", "b"]}, {"_id": 3}, {"_id": 4, "item": "z"}]
    )
    return db


def ids(documents: Any) -> list[Any]:
    return sorted(document["_id"] for document in documents)


def code(action: Any) -> int | None:
    with pytest.raises(OperationFailure) as failure:
        action()
    return failure.value.code


def lookup(**fields: Any) -> list[dict[str, Any]]:
    return [{"$lookup": {"from": "goods", "as": "found", **fields}}, {"$sort": {"_id": 1}}]


@pytest.mark.parametrize("index", [None, "sku"])
def test_lookup_by_equality(shop: Any, index: str | None) -> None:
    if index:
        shop.goods.create_index(index)
    found = list(shop.orders.aggregate(lookup(localField="item", foreignField="sku")))
    assert [ids(order["found"]) for order in found] == [[1], [1, 2], [3, 4], []]


def test_lookup_with_pipeline_and_variables(shop: Any) -> None:
    stages = [{"$match": {"$expr": {"$eq": ["$sku", "$$wanted"]}}}, {"$project": {"_id": 0, "price": 1}}]
    found = list(shop.orders.aggregate(lookup(let={"wanted": "$item"}, pipeline=stages)))
    assert [order["found"] for order in found] == [[{"price": 3}], [], [{"price": 9}], []]
    # Both forms together, and a variable of the command.
    stages = [{"$match": {"$expr": {"$gt": ["$price", "$$least"]}}}]
    both = lookup(localField="item", foreignField="sku", pipeline=stages)
    found = list(shop.orders.aggregate(both, let={"least": 4}))
    assert [ids(order["found"]) for order in found] == [[], [2], [3, 4], []]


def test_lookup_within_lookup(shop: Any) -> None:
    inner = {"$lookup": {"from": "orders", "localField": "sku", "foreignField": "item", "as": "orders"}}
    found = next(shop.orders.aggregate(lookup(localField="item", foreignField="sku", pipeline=[inner])))
    assert ids(found["found"][0]["orders"]) == [1, 2]


def test_lookup_of_documents_and_of_nothing(shop: Any) -> None:
    given = {"$documents": [{"k": "a", "n": 1}, {"k": "b", "n": 2}]}
    joined = {"localField": "item", "foreignField": "k", "pipeline": [given], "as": "found"}
    found = list(shop.orders.aggregate([{"$lookup": joined}, {"$sort": {"_id": 1}}]))
    assert [[one["n"] for one in order["found"]] for order in found] == [[1], [1, 2], [], []]
    stages = [
        {
            "$lookup": {
                "from": "absent",
                "pipeline": [{"$group": {"_id": None, "n": {"$sum": 1}}}],
                "as": "found",
            }
        }
    ]
    assert [order["found"] for order in shop.orders.aggregate(stages)] == [[]] * 4


def test_lookup_from_view(shop: Any) -> None:
    shop.create_collection("cheap", viewOn="goods", pipeline=[{"$match": {"price": {"$lt": 5}}}])
    shop.create_collection("cheapest", viewOn="cheap", pipeline=[{"$set": {"seen": True}}])
    stages = [{"$lookup": {"from": "cheapest", "localField": "item", "foreignField": "sku", "as": "found"}}]
    found = list(shop.orders.aggregate([*stages, {"$sort": {"_id": 1}}]))
    assert [ids(order["found"]) for order in found] == [[1], [1], [], []]
    assert found[0]["found"][0]["seen"] is True


def test_lookup_in_view_and_facet_and_cursor(shop: Any) -> None:
    shop.create_collection("joined", viewOn="orders", pipeline=lookup(localField="item", foreignField="sku"))
    assert [ids(order["found"]) for order in shop.joined.find(batch_size=2)] == [[1], [1, 2], [3, 4], []]
    facet = {"$facet": {"all": lookup(localField="item", foreignField="sku")}}
    [found] = shop.orders.aggregate([facet])
    assert [ids(order["found"]) for order in found["all"]] == [[1], [1, 2], [3, 4], []]


def test_graph_lookup(db: Any) -> None:
    db.people.insert_many([{"_id": n, "boss": n - 1} for n in range(1, 6)])
    stage = {
        "from": "people",
        "startWith": "$boss",
        "connectFromField": "boss",
        "connectToField": "_id",
        "as": "above",
        "depthField": "depth",
    }
    found = list(db.people.aggregate([{"$match": {"_id": 5}}, {"$graphLookup": stage}]))
    above = {one["_id"]: one["depth"] for one in found[0]["above"]}
    assert above == {4: 0, 3: 1, 2: 2, 1: 3}
    stage |= {"maxDepth": 1, "restrictSearchWithMatch": {"_id": {"$ne": 3}}}
    found = list(db.people.aggregate([{"$match": {"_id": 5}}, {"$graphLookup": stage}]))
    assert ids(found[0]["above"]) == [4]


def test_union_with(shop: Any) -> None:
    stages: list[Any] = [{"$unionWith": {"coll": "goods", "pipeline": [{"$match": {"price": {"$gt": 6}}}]}}]
    assert ids(shop.orders.aggregate(stages)) == [1, 2, 3, 3, 4, 4]
    assert ids(shop.orders.aggregate([{"$unionWith": "absent"}, {"$unionWith": "goods"}])) == ids(
        [*shop.orders.find(), *shop.goods.find()]
    )
    assert ids(shop.absent.aggregate([{"$unionWith": "goods"}])) == [1, 2, 3, 4]


def test_out_replaces_and_keeps_indexes(shop: Any) -> None:
    shop.copy.insert_one({"_id": "old"})
    shop.copy.create_index("price", unique=True)
    shop.copy.create_index("parts")
    assert list(shop.goods.aggregate([{"$match": {"price": {"$lt": 8}}}, {"$out": "copy"}])) == []
    assert ids(shop.copy.find()) == [1, 2, 3]
    assert ids(shop.copy.find({"parts": "y"}, hint="parts_1")) == [1]
    assert set(shop.copy.index_information()) == {"_id_", "price_1", "parts_1"}
    # One that fails leaves what was there.
    shop.goods.insert_one({"_id": 5, "price": 3})
    assert code(lambda: shop.goods.aggregate([{"$out": "copy"}])) == 11000
    assert ids(shop.copy.find()) == [1, 2, 3]
    assert sorted(shop.list_collection_names()) == ["copy", "goods", "orders"]
    # An empty result empties it; the collection read may be the one written.
    list(shop.goods.aggregate([{"$match": {"_id": 99}}, {"$out": "copy"}]))
    assert shop.copy.count_documents({}) == 0
    list(shop.goods.aggregate([{"$project": {"price": 1}}, {"$out": "goods"}]))
    assert shop.goods.find_one({"_id": 1}) == {"_id": 1, "price": 3}


def test_out_to_another_database(shop: Any) -> None:
    other = shop.client[f"{shop.name}_other"]
    list(shop.goods.aggregate([{"$out": {"db": other.name, "coll": "copy"}}]))
    assert other.copy.count_documents({}) == 4
    shop.client.drop_database(other)


def test_out_is_refused(shop: Any) -> None:
    shop.create_collection("view", viewOn="goods", pipeline=[])
    shop.create_collection("capped", capped=True, size=4096)
    assert code(lambda: shop.goods.aggregate([{"$out": "view"}])) == 166
    assert code(lambda: shop.goods.aggregate([{"$merge": "view"}])) == 166
    assert code(lambda: shop.goods.aggregate([{"$out": "capped"}])) == 17152
    with shop.client.start_session() as session:
        for stage in ({"$out": "copy"}, {"$merge": "copy"}):
            session.start_transaction()
            assert code(lambda stage=stage: shop.goods.aggregate([stage], session=session)) == 263
            session.abort_transaction()


MERGES = [
    ({}, [{"_id": 1, "n": 10, "old": 1}, {"_id": 2, "n": 20}]),
    ({"whenMatched": "replace"}, [{"_id": 1, "n": 10}, {"_id": 2, "n": 20}]),
    ({"whenMatched": "keepExisting"}, [{"_id": 1, "n": 1, "old": 1}, {"_id": 2, "n": 20}]),
    ({"whenNotMatched": "discard"}, [{"_id": 1, "n": 10, "old": 1}]),
    (
        {"whenMatched": [{"$set": {"n": {"$add": ["$n", "$$new.n"]}}}]},
        [{"_id": 1, "n": 11, "old": 1}, {"_id": 2, "n": 20}],
    ),
    (
        {"whenMatched": [{"$set": {"n": "$$more"}}], "let": {"more": {"$add": ["$n", 5]}}},
        [{"_id": 1, "n": 15, "old": 1}, {"_id": 2, "n": 20}],
    ),
    ({"whenMatched": "fail"}, 11000),
    ({"whenNotMatched": "fail"}, 13113),
]


@pytest.mark.parametrize(("options", "expected"), MERGES)
def test_merge(db: Any, options: dict[str, Any], expected: Any) -> None:
    db.source.insert_many([{"_id": 1, "n": 10}, {"_id": 2, "n": 20}])
    db.target.insert_one({"_id": 1, "n": 1, "old": 1})

    def merge() -> Any:
        return db.source.aggregate([{"$merge": {"into": "target", **options}}])

    if isinstance(expected, int):
        assert code(merge) == expected
        return
    assert list(merge()) == []
    assert list(db.target.find(sort=[("_id", 1)])) == expected


def test_merge_on_other_fields(db: Any) -> None:
    db.source.insert_many(
        [{"_id": 1, "k": {"a": 1}, "l": 1, "n": 10}, {"_id": 2, "k": {"a": 2}, "l": 1, "n": 20}]
    )
    db.target.insert_one({"_id": 7, "k": {"a": 1}, "l": 1, "n": 0})

    def merge(stages: list[Any] | None = None) -> Any:
        into = {"$merge": {"into": "target", "on": ["l", "k.a"]}}
        return db.source.aggregate([*(stages or []), into])

    assert code(merge) == 51183
    db.target.create_index([("k.a", 1), ("l", 1)], unique=True)
    # It would change _id.
    assert code(merge) == 66
    merge([{"$unset": "_id"}])
    found = list(db.target.find({}, {"_id": 0}, sort=[("n", 1)]))
    assert found == [{"k": {"a": 1}, "l": 1, "n": 10}, {"k": {"a": 2}, "l": 1, "n": 20}]
    assert db.target.find_one({"n": 10})["_id"] == 7
    assert code(lambda: merge([{"$set": {"l": [1]}}])) == 51185


def test_merge_many(db: Any) -> None:
    db.source.insert_many([{"_id": n, "n": n} for n in range(2500)])
    db.target.insert_many([{"_id": n, "old": n} for n in range(0, 100, 2)])
    db.source.aggregate([{"$merge": "target"}])
    assert db.target.count_documents({}) == 2500
    assert db.target.find_one({"_id": 4}) == {"_id": 4, "old": 4, "n": 4}
    assert db.target.count_documents({"n": {"$exists": False}}) == 0


def test_collation_reaches_other_collections(shop: Any) -> None:
    shop.orders.insert_one({"_id": 9, "item": "A"})
    stages = [{"$match": {"_id": 9}}, *lookup(localField="item", foreignField="sku")]
    assert next(shop.orders.aggregate(stages))["found"] == []
    found = next(shop.orders.aggregate(stages, collation=pymongo.collation.Collation("en", strength=2)))
    assert ids(found["found"]) == [1]
