"""What cursors give: order, batches, parts of indexes, capped collections, views on views."""

from __future__ import annotations

import threading
import time
from typing import Any

import pymongo
import pytest
from pymongo.collation import Collation
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure


def code(action: Any) -> int | None:
    with pytest.raises(OperationFailure) as failure:
        action()
    return failure.value.code


def test_sort_with_skip_and_limit_over_an_index(db: Any) -> None:
    db.c.insert_many([{"_id": n, "a": n % 7, "b": -n} for n in range(200)])
    wanted = sorted(db.c.find(), key=lambda d: (-d["a"], d["b"]))
    for keys in (None, [("a", -1), ("b", 1)], [("a", 1), ("b", -1)], [("a", 1)]):
        if keys:
            db.c.create_index(keys)
        cursor = db.c.find(sort=[("a", -1), ("b", 1)], skip=5, limit=150, batch_size=17)
        assert list(cursor) == wanted[5:155]
        found = db.c.find({"a": {"$gte": 3}}, sort=[("a", -1), ("b", 1)], projection={"b": 1}, batch_size=10)
        assert [d["b"] for d in found] == [d["b"] for d in wanted if d["a"] >= 3]
    wanted_count = sum(1 for d in wanted if d["a"] in (1, 2))
    for hint in ("a_1", "a_1_b_-1", [("a", -1), ("b", 1)]):
        assert db.c.count_documents({"a": {"$in": [1, 2]}}, hint=hint) == wanted_count


def test_min_and_max(db: Any) -> None:
    db.c.insert_many([{"_id": n, "a": n, "b": n % 2} for n in range(10)])
    db.c.create_index("a")
    db.c.create_index([("b", -1), ("a", 1)])

    def found(min: Any = None, max: Any = None, **arguments: Any) -> list[int]:
        cursor = db.c.find(**arguments)
        cursor = cursor if min is None else cursor.min(min)
        return [d["_id"] for d in (cursor if max is None else cursor.max(max))]

    assert found(min=[("a", 3)], max=[("a", 6)], hint="a_1") == [3, 4, 5]
    assert found(min=[("a", 8)], hint=[("a", 1)]) == [8, 9]
    assert found(max=[("_id", 2)], hint="_id_") == [0, 1]
    assert found(min=[("b", 1), ("a", 5)], max=[("b", 0), ("a", 3)], hint="b_-1_a_1") == [5, 7, 9, 0, 2]
    assert found(filter={"b": 0}, min=[("a", 3)], sort=[("a", -1)], hint="a_1") == [8, 6, 4]
    assert code(lambda: db.command("find", "c", min={"a": 3})) == 51173
    assert code(lambda: found(min=[("b", 3)], hint="a_1")) == 51174
    assert code(lambda: found(min=[("a", 6)], max=[("a", 3)], hint="a_1")) == 51175
    assert code(lambda: found(min=[("a", 6)], max=[("b", 3)], hint="a_1")) == 51176
    assert code(lambda: found(min=[("a", 6)], hint="z_1")) == 2


def test_capped_collections_lose_their_first_documents(db: Any) -> None:
    db.create_collection("few", capped=True, size=100_000, max=3)
    db.few.insert_many([{"_id": n} for n in range(5)])
    assert [d["_id"] for d in db.few.find()] == [2, 3, 4]
    assert [d["_id"] for d in db.few.find(sort=[("$natural", -1)])] == [4, 3, 2]
    db.few.update_one({"_id": 9}, {"$set": {"a": 1}}, upsert=True)
    assert [d["_id"] for d in db.few.find()] == [3, 4, 9]
    db.create_collection("small", capped=True, size=4096)
    db.small.insert_many([{"_id": n, "text": "x" * 1000} for n in range(10)])
    assert [d["_id"] for d in db.small.find()] == [7, 8, 9]
    with db.client.start_session() as session:
        session.start_transaction()
        assert code(lambda: db.few.insert_one({}, session=session)) == 263
        session.abort_transaction()


def test_a_document_larger_than_a_capped_collection_is_refused(db: Any) -> None:
    db.create_collection("small", capped=True, size=4096)
    db.small.insert_one({"_id": 1})
    large = {"pad": "x" * 4096}
    for insert in (
        lambda: db.small.insert_one({"_id": 2, **large}),
        lambda: db.small.update_one({"_id": 2}, {"$set": large}, upsert=True),
    ):
        with pytest.raises(pymongo.errors.WriteError) as failure:
            insert()
        assert failure.value.code == 2
        assert "cappedMaxSize" in str(failure.value)
    assert db.small.find_one() == {"_id": 1}


def test_capped_collections_are_in_the_order_of_insertion(db: Any) -> None:
    db.create_collection("log", capped=True, size=100_000, max=5)
    db.log.insert_many([{"_id": n} for n in (3, 1, 2)])
    db.log.insert_one({"_id": 0})
    db.log.update_one({"_id": 9}, {"$set": {"a": 1}}, upsert=True)
    assert [d["_id"] for d in db.log.find()] == [3, 1, 2, 0, 9]
    assert [d["_id"] for d in db.log.find(sort=[("$natural", -1)], batch_size=2)] == [9, 0, 2, 1, 3]
    assert [d["_id"] for d in db.log.find({"_id": {"$ne": 2}}, skip=1, limit=2)] == [1, 0]
    assert [d["_id"] for d in db.log.aggregate([{"$match": {}}])] == [3, 1, 2, 0, 9]
    assert [d["_id"] for d in db.log.find({"_id": {"$gte": 0}})] == [0, 1, 2, 3, 9]
    # The oldest goes, whatever its _id.
    db.log.insert_one({"_id": -1})
    assert [d["_id"] for d in db.log.find()] == [1, 2, 0, 9, -1]
    db.log.update_one({"_id": 2}, {"$set": {"a": 1}})
    db.log.delete_one({"_id": 0})
    db.log.insert_one({"_id": 0})
    assert [d["_id"] for d in db.log.find()] == [1, 2, 9, -1, 0]
    assert code(lambda: db.log.insert_one({"_id": 9})) == 11000
    db.log.create_index("a")
    assert db.log.find({"a": 1}).distinct("_id") == [2, 9]
    db.log.insert_many([{"_id": 10_000 - n} for n in range(1000)])
    assert [d["_id"] for d in db.log.find()] == [9005, 9004, 9003, 9002, 9001]


def test_many_insert_into_a_capped_collection_at_once(db: Any) -> None:
    db.create_collection("log", capped=True, size=10_000_000)

    def insert(thread: int) -> None:
        for n in range(20):
            db.log.insert_one({"thread": thread, "n": n})

    db.log.insert_one({"thread": -1, "n": 0})
    cursor = db.log.find(cursor_type=pymongo.CursorType.TAILABLE)
    threads = [threading.Thread(target=insert, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen = []
    until = time.monotonic() + 60
    while len(seen) < 81 and time.monotonic() < until:
        seen += list(cursor)
    for thread in threads:
        thread.join()
    assert seen == list(db.log.find())
    for thread in range(4):
        assert [d["n"] for d in seen if d["thread"] == thread] == list(range(20))


def test_tailable_cursors(db: Any) -> None:
    db.create_collection("log", capped=True, size=100_000, max=4)
    db.log.insert_one({"_id": 1})
    cursor = db.log.find(cursor_type=pymongo.CursorType.TAILABLE)
    assert [d["_id"] for d in cursor] == [1]
    assert cursor.alive
    assert list(cursor) == []
    db.log.insert_many([{"_id": 2}, {"_id": 3}])
    assert [d["_id"] for d in cursor] == [2, 3]
    waiting = db.log.find({"_id": {"$gt": 3}}, cursor_type=pymongo.CursorType.TAILABLE_AWAIT)
    waiting.max_await_time_ms(100)
    assert next(waiting, None) is None
    begun = time.monotonic()
    assert next(waiting, None) is None
    assert time.monotonic() - begun >= 0.09
    # The place it would go on from is gone.
    db.log.insert_many([{"_id": n} for n in range(4, 10)])
    assert list(cursor) == []
    assert not cursor.alive


def test_views_on_views(db: Any) -> None:
    db.c.insert_many([{"_id": n, "a": n % 3, "t": ["x", n]} for n in range(10)])
    db.create_collection("one", viewOn="c", pipeline=[{"$match": {"a": {"$gt": 0}}}])
    db.create_collection("two", viewOn="one", pipeline=[{"$set": {"b": {"$add": ["$a", 10]}}}])
    found = list(db.two.find({"b": 12}, {"b": 1}, sort=[("_id", -1)], skip=1, limit=1))
    assert found == [{"_id": 5, "b": 12}]
    assert db.two.count_documents({}) == 6
    assert db.two.estimated_document_count() == 6
    assert sorted(db.two.distinct("b")) == [11, 12]
    assert sorted(map(str, db.two.distinct("t", {"_id": 1}))) == ["1", "x"]
    assert code(lambda: db.two.insert_one({})) == 166


def test_collation_of_a_collection_is_the_default(db: Any) -> None:
    db.create_collection("c", collation=Collation("en", strength=2))
    db.c.insert_many([{"_id": 1, "a": "x"}, {"_id": 2, "a": "X"}, {"_id": 3, "a": "y"}])
    db.c.create_index("a")
    assert db.c.index_information()["a_1"]["collation"]["strength"] == 2
    assert db.c.count_documents({"a": "X"}) == 2
    assert db.c.count_documents({"a": "X"}, collation=Collation("simple")) == 1
    assert len(db.c.distinct("a")) == 2
    assert db.c.update_many({"a": "X"}, {"$set": {"b": 1}}).modified_count == 2
    assert db.c.delete_one({"a": "Y"}).deleted_count == 1
    assert len(list(db.c.aggregate([{"$group": {"_id": "$a"}}]))) == 1


def test_unique_violations_have_their_index_and_key(db: Any) -> None:
    db.c.create_index([("a", 1), ("b.c", 1)], unique=True)
    documents = [{"_id": n, "a": n // 2, "b": {"c": 1}} for n in range(6)]
    with pytest.raises(BulkWriteError) as failure:
        db.c.insert_many(documents)
    details = failure.value.details
    assert details["nInserted"] == 1
    [error] = details["writeErrors"]
    assert (error["index"], error["code"], error["keyValue"]) == (1, 11000, {"a": 0, "b.c": 1})
    assert error["keyPattern"] == {"a": 1, "b.c": 1}
    db.c.delete_many({})
    with pytest.raises(BulkWriteError) as failure:
        db.c.insert_many(documents, ordered=False)
    assert failure.value.details["nInserted"] == 3
    assert [error["index"] for error in failure.value.details["writeErrors"]] == [1, 3, 5]
    with pytest.raises(DuplicateKeyError) as duplicate:
        db.c.update_one({"_id": 0}, {"$set": {"a": 1}})
    assert duplicate.value.details["keyValue"] == {"a": 1, "b.c": 1}


def test_find_and_modify(db: Any) -> None:
    db.c.insert_many([{"_id": n, "a": n % 2, "l": [{"k": 1, "v": n}, {"k": 2, "v": n}]} for n in range(6)])
    after = pymongo.ReturnDocument.AFTER
    found = db.c.find_one_and_update(
        {"a": 0},
        {"$inc": {"l.$[e].v": 10}},
        sort=[("_id", -1)],
        projection={"l.v": 1},
        array_filters=[{"e.k": 2}],
        return_document=after,
    )
    assert found == {"_id": 4, "l": [{"v": 4}, {"v": 14}]}
    found = db.c.find_one_and_update(
        {"_id": 9}, {"$setOnInsert": {"n": 1}}, upsert=True, return_document=after
    )
    assert found == {"_id": 9, "n": 1}
    assert db.c.find_one_and_replace({"_id": 10}, {"n": 2}, upsert=True) is None
    assert db.c.find_one_and_delete({"a": 1}, sort=[("_id", -1)], projection={"_id": 1}) == {"_id": 5}
    assert code(lambda: db.c.find_one_and_delete({}, hint="nothing")) == 2


def test_update_with_let_and_hint(db: Any) -> None:
    db.c.insert_many([{"_id": 1, "a": 1}, {"_id": 2, "a": 2}])
    match = {"$expr": {"$eq": ["$a", "$$wanted"]}}
    result = db.c.update_many(match, [{"$set": {"b": "$$wanted"}}], let={"wanted": 2})
    assert result.modified_count == 1
    assert db.c.find_one({"b": 2})["_id"] == 2
    update = {"q": {"_id": 1}, "u": [{"$set": {"b": "$$k"}}], "c": {"k": 7}}
    db.command("update", "c", updates=[update])
    assert db.c.find_one({"_id": 1})["b"] == 7
    assert code(lambda: db.c.update_one({}, {"$set": {"z": 1}}, hint="nothing")) == 2
    assert code(lambda: list(db.c.find(hint="nothing"))) == 2


def test_large_documents_and_large_batches(db: Any) -> None:
    text = "x" * (16 * 1024 * 1024 - 100)
    db.c.insert_one({"_id": 1, "text": text})
    db.c.insert_one({"_id": 2, "text": text})
    assert [len(d["text"]) for d in db.c.find()] == [len(text)] * 2
    assert code(lambda: db.c.update_one({"_id": 1}, {"$set": {"more": "y" * 200}})) == 17419
    many = db.many
    assert len(many.insert_many([{"_id": n} for n in range(100_000)]).inserted_ids) == 100_000
    assert many.count_documents({"_id": {"$gte": 50_000}}) == 50_000
    assert sum(1 for _ in many.find({}, batch_size=30_000)) == 100_000
    assert many.delete_many({"_id": {"$lt": 99_000}}).deleted_count == 99_000


def test_validators_say_what_failed(db: Any) -> None:
    schema = {"bsonType": "object", "required": ["a"], "properties": {"a": {"bsonType": "int", "minimum": 3}}}
    db.create_collection("c", validator={"$jsonSchema": schema})
    db.c.insert_one({"_id": 1, "a": 3})
    for action in (
        lambda: db.c.insert_one({"_id": 2, "a": 1}),
        lambda: db.c.update_one({"_id": 1}, {"$set": {"a": 2}}),
    ):
        with pytest.raises(OperationFailure) as failure:
            action()
        assert failure.value.code == 121
        assert failure.value.details["errInfo"]["details"]["operatorName"] == "$jsonSchema"
    assert db.c.with_options().insert_one({"_id": 3}, bypass_document_validation=True).inserted_id == 3


def test_rename_and_drop_indexes(db: Any) -> None:
    other = db.client[f"{db.name}_other"]
    db.c.insert_many([{"_id": n, "a": n} for n in range(5)])
    db.c.create_index("a", name="named")
    db.client.admin.command("renameCollection", f"{db.name}.c", to=f"{other.name}.d")
    assert other.d.count_documents({"a": {"$gt": 2}}, hint="named") == 2
    assert db.list_collection_names() == []
    other.d.create_index([("b", 1), ("c", -1)])
    other.d.create_index("e")
    assert other.command("dropIndexes", "d", index={"b": 1, "c": -1})["nIndexesWas"] == 4
    assert code(lambda: other.command("dropIndexes", "d", index="nothing")) == 27
    assert code(lambda: other.command("dropIndexes", "d", index="_id_")) == 72
    assert other.command("dropIndexes", "d", index=["named", "e_1"])["nIndexesWas"] == 3
    assert list(other.d.index_information()) == ["_id_"]
    db.client.drop_database(other)


def test_a_full_batch_leaves_the_cursor_open(db: Any) -> None:
    db.c.insert_many([{"_id": n} for n in range(3)])
    reply = db.command("find", "c", batchSize=3)
    assert reply["cursor"]["id"] != 0
    reply = db.command("getMore", reply["cursor"]["id"], collection="c")
    assert reply["cursor"] == {"nextBatch": [], "id": 0, "ns": f"{db.name}.c"}
    assert db.command("find", "c", batchSize=3, limit=3)["cursor"]["id"] == 0
    assert db.command("find", "c")["cursor"]["id"] == 0


def test_snapshot_reads_tell_their_time(db: Any) -> None:
    db.c.insert_many([{"_id": n} for n in range(5)])
    with db.client.start_session(snapshot=True) as session:
        assert len(db.c.distinct("_id", session=session)) == 5
        assert len(list(db.c.aggregate([{"$sort": {"_id": 1}}], batchSize=2, session=session))) == 5
    snapshot = {"level": "snapshot"}
    for command in ({"find": "c"}, {"aggregate": "c", "pipeline": [], "cursor": {}}):
        assert "atClusterTime" in db.command({**command, "readConcern": snapshot})["cursor"]


def test_stages_that_write_refuse_linearizable_reads(db: Any) -> None:
    db.c.insert_one({})
    linear = {"readConcern": {"level": "linearizable"}}
    for stage in ({"$out": "d"}, {"$merge": "d"}):
        command = {"aggregate": "c", "pipeline": [stage], "cursor": {}}
        assert code(lambda command=command: db.command({**command, **linear})) == 72


def test_explain_and_list_indexes_show_what_was_given(db: Any) -> None:
    db.c.create_index("a", partialFilterExpression={"b": {"$gt": 1}}, background=True)
    assert db.c.index_information()["a_1"]["background"] is True
    db.c.create_index("a", partialFilterExpression={"b": {"$gt": 1}})
    scan = db.c.find({"a": 1, "b": 5}).explain()["queryPlanner"]["winningPlan"]["inputStage"]
    assert (scan["indexName"], scan["isPartial"], scan["isSparse"]) == ("a_1", True, False)
    assert scan["indexBounds"] == {"a": ["[1, 1]"]}
    db.c.create_index([("x", 1), ("y", -1)])
    plan = db.c.find({"x": {"$in": [2, 1]}, "y": {"$gt": "k"}}).explain()["queryPlanner"]["winningPlan"]
    assert plan["inputStage"]["indexBounds"] == {"x": ["[1, 1]", "[2, 2]"], "y": ['({}, "k")']}
    plan = db.c.find({"_id": 1}).explain()["queryPlanner"]["winningPlan"]
    assert (plan["stage"], plan["indexName"]) == ("EXPRESS_IXSCAN", "_id_")
    plan = db.c.find({"_id": {"$gt": 1}}).explain()["queryPlanner"]["winningPlan"]
    assert plan["inputStage"]["indexBounds"] == {"_id": ["(1, inf]"]}
    db.create_collection("k", clusteredIndex={"key": {"_id": 1}, "unique": True, "name": "mine"})
    [index] = db.k.list_indexes()
    assert dict(index) == {"v": 2, "key": {"_id": 1}, "name": "mine", "unique": True, "clustered": True}


@pytest.mark.parametrize(
    ("index", "document", "query"),
    [
        ("a", {"a": [[5]]}, {"a": {"$elemMatch": {"$elemMatch": {"$eq": 5}}}}),
        ("a", {"a": [[5]]}, {"a": {"$elemMatch": {"$elemMatch": {"$in": [5, 6]}}}}),
        ("a", {"a": [[5, 6]]}, {"a": {"$elemMatch": {"$size": 2}}}),
        ("a.0", {"a": [[1, 2], [3, 4]]}, {"a.0": {"$elemMatch": {"$gte": 2}}}),
        ("a.0", {"a": [[1, 2]]}, {"a.0": {"$all": [{"$elemMatch": {"$eq": 2}}]}}),
        ("a.0", {"a": [[None]]}, {"a.0": None}),
        ("a.0.0", {"a": [[{"b": 5}]]}, {"a.0.0": None}),
        ("a.0.0", {"a": [[{"b": 5}]]}, {"a.0.0": {"$in": [None, 1]}}),
    ],
)
def test_an_index_on_arrays_in_arrays_changes_no_answer(
    db: Any, index: str, document: dict[str, Any], query: dict[str, Any]
) -> None:
    db.things.insert_one(document)
    without = db.things.count_documents(query)
    db.things.create_index(index)
    assert db.things.count_documents(query) == without
