"""What one gateway does to a collection, and what another one that knows the old one answers then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from tests.suites.pymongo.gateway import start


@pytest.fixture
def two(database: str, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """The same database, through two gateways."""
    with (
        start(database, tmp_path / "a", os.environ, authentication=False) as one,
        start(database, tmp_path / "b", os.environ, authentication=False) as other,
        pymongo.MongoClient[dict[str, Any]](one.url) as first,
        pymongo.MongoClient[dict[str, Any]](other.url) as second,
    ):
        yield first.shop, second.shop


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
    ],
    ids=["find", "count", "distinct", "aggregate"],
)
def test_reads_find_what_was_made_anew(two: tuple[Any, Any], read: Any, expected: Any) -> None:
    _, second = make_anew(two)
    assert read(second) == expected


def test_a_read_of_what_was_dropped_finds_nothing(two: tuple[Any, Any]) -> None:
    first, second = two
    first.goods.insert_one({"_id": 0})
    assert second.goods.find_one() == {"_id": 0}
    first.goods.drop()
    assert second.goods.find_one() is None
    assert second.goods.count_documents({}) == 0
