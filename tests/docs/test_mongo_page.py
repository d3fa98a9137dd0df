"""The reference of the MongoDB gateway names what there is: the gateway is asked for every name on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.docs.servers import empty_database
from tests.gateways import Gateway

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs/en/reference/mongo.md").read_text("utf-8")
# What the server says to a name that it does not know, or knows and does not do.
UNKNOWN = {15952, 168, 238, 31082, 40324, 139, 27, 291}
# Behind a test option, or answered by a refusal that the page has in words.
UNLISTED = re.compile(r"test[DV]|configureFailPoint|SearchIndex|convertToCapped|cloneCollectionAsCapped")


def section(title: str, end: str = "\n## ") -> str:
    """The text below a heading, or behind a line, up to the next."""
    return PAGE.split(f"\n{title}\n", 1)[1].split(end, 1)[0]


def names(text: str) -> list[str]:
    """All operators in it, each once."""
    return list(dict.fromkeys(re.findall(r"`(\$[A-Za-z0-9]+)`", text)))


def refusals(text: str) -> list[tuple[str, int]]:
    """The rows of its table `missing`."""
    rows = re.findall(r"^\| (`\$.*?) \| (\d+)", text.split("| missing | error |", 1)[1], re.MULTILINE)
    return [(name, int(code)) for cell, code in rows for name in names(cell)]


QUERIES, STAGES = section("## Query operators"), section("## Aggregation")
LISTED_STAGES = names(section("Stages:", "| missing |"))
ACCUMULATORS = names(
    section("Accumulators of `$group` and `$bucket`, also in `$setWindowFields`:", "`$accumulator`")
)
EXPRESSIONS = names(section("Expressions:", "`$function`"))
UPDATES = names(section("## Update operators", "The positions"))


@pytest.fixture(scope="module")
def client(endpoint: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoClient[Any]]:
    home = tmp_path_factory.mktemp("gateway")
    with Gateway(empty_database(endpoint.url), home) as gateway, MongoClient(gateway.url) as client:
        client.shop.orders.insert_one({"_id": 1})
        yield client


def code(client: MongoClient[Any], *stages: dict[str, Any]) -> int:
    """What the server answers to stages: 0 for no error."""
    try:
        list(client.shop.orders.aggregate(list(stages)))
    except OperationFailure as error:
        return error.code or 0
    return 0


def test_the_page_lists_the_commands_that_there_are(client: MongoClient[Any]) -> None:
    there = client.admin.command("listCommands")["commands"]
    table = re.findall(r"^\| [^|`]+ \| (`.*) \|$", section("## Commands"), re.MULTILINE)
    listed = re.findall(r"`(\w+)`", "".join(table))
    assert {name for name in there if not UNLISTED.search(name)} <= set(listed)


@pytest.mark.parametrize("name", LISTED_STAGES)
def test_a_stage_is_there(client: MongoClient[Any], name: str) -> None:
    # It may only stand behind the other.
    before = [{"$changeStream": {}}] if name == "$changeStreamSplitLargeEvent" else []
    assert code(client, *before, {name: {"x": 1}}) not in UNKNOWN


@pytest.mark.parametrize("name", ACCUMULATORS)
def test_an_accumulator_is_there(client: MongoClient[Any], name: str) -> None:
    assert code(client, {"$group": {"_id": None, "x": {name: "$_id"}}}) not in UNKNOWN


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_is_there(client: MongoClient[Any], name: str) -> None:
    assert code(client, {"$match": {"$expr": {name: ["$_id", 1]}}}) not in UNKNOWN


@pytest.mark.parametrize(("name", "expected"), refusals(STAGES))
def test_a_missing_stage_is_refused(client: MongoClient[Any], name: str, expected: int) -> None:
    assert code(client, {name: {}}) == expected


@pytest.mark.parametrize(("name", "expected"), refusals(QUERIES))
def test_a_missing_query_operator_is_refused(client: MongoClient[Any], name: str, expected: int) -> None:
    condition = {name: "x"} if name in ("$where", "$text") else {"x": {name: {}}}
    assert code(client, {"$match": condition}) == expected


@pytest.mark.parametrize("name", UPDATES)
def test_an_update_operator_is_there(client: MongoClient[Any], name: str) -> None:
    if name in ("$each", "$position", "$slice", "$sort"):
        return
    try:
        client.shop.orders.update_one({"_id": 2}, {name: {"x": 1}})
    except OperationFailure as error:
        assert "Unknown modifier" not in str(error)  # noqa: PT017


def test_the_lists_are_read() -> None:
    assert min(map(len, (LISTED_STAGES, ACCUMULATORS, EXPRESSIONS, UPDATES))) > 15
    assert min(map(len, (refusals(QUERIES), refusals(STAGES)))) > 4
