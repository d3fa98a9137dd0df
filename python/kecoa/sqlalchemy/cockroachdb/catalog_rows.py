"""Rows of the catalogs in the form of SQLAlchemy's inspector."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy

_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_HASH = re.compile(r"\) USING HASH(?: WITH \(bucket_count *= *'?(\d+)'?\))?")
# There the key is beside the dialect's options, too.
_BEFORE_2_1 = sqlalchemy.__version__.startswith("2.0.")


def integers(vector: Any) -> list[int]:
    """Return the numbers of an array or an int2vector, which drivers give as a list or as text."""
    if vector is None:
        return []
    return [int(word) for word in (re.findall(r"\d+", vector) if isinstance(vector, str) else vector)]


def is_hidden(detail: Any) -> bool:
    """Return True if a column is hidden, by its row of information_schema.columns."""
    return detail is not None and detail.is_hidden == "YES"


def identity_of(detail: Any) -> dict[str, Any] | None:
    """Return what a column has of an identity, by its row of information_schema.columns."""
    if detail is None or not detail.identity_generation:
        return None
    numbers = {
        "start": detail.identity_start,
        "increment": detail.identity_increment,
        "minvalue": detail.identity_minimum,
        "maxvalue": detail.identity_maximum,
    }
    return {
        "always": detail.identity_generation == "ALWAYS",
        "cycle": detail.identity_cycle == "YES",
        **{name: int(number) for name, number in numbers.items() if number is not None},
    }


def with_schema(default: str | None, schema: str | None) -> str | None:
    """Name the schema of a sequence that the search path may not find."""
    if default is None or schema is None:
        return default
    return re.sub(r"nextval\('([^'.]+)'", lambda match: f"nextval('\"{schema}\".{match[1]}'", default)


def foreign_key_options(row: Any) -> dict[str, Any]:
    """Return what a foreign key does beyond the default."""
    options: dict[str, Any] = {}
    if row.on_update in _ACTIONS:
        options["onupdate"] = _ACTIONS[row.on_update]
    if row.on_delete in _ACTIONS:
        options["ondelete"] = _ACTIONS[row.on_delete]
    if row.match == "f":
        options["match"] = "FULL"
    if row.deferrable:
        options["deferrable"] = True
        options["initially"] = "DEFERRED" if row.deferred else "IMMEDIATE"
    return options


def index_of(
    row: Any, attributes: dict[int, Any], expressions: dict[tuple[int, int], str], is_constraint: bool
) -> dict[str, Any]:
    """Return an index: `attributes` are its table's columns, `expressions` by index and place."""
    numbers = integers(row.columns)
    elements: list[tuple[str | None, str]] = []
    for place, number in enumerate(numbers[: row.keys]):
        name = attributes[number].name if number in attributes else None
        elements.append((name, name or expressions.get((row.index_oid, place), "")))
    index: dict[str, Any] = {
        "name": row.name,
        "unique": row.is_unique,
        "column_names": [name for name, _ in elements],
    }
    if None in index["column_names"]:
        index["expressions"] = [text for _, text in elements]
    sorting = {
        text: ("desc",)
        for (_, text), flags in zip(elements, integers(row.options), strict=False)
        if flags & 1
    }
    if sorting:
        index["column_sorting"] = sorting
    if is_constraint:
        index["duplicates_constraint"] = row.name
    options: dict[str, Any] = {}
    stored = [attributes[number].name for number in numbers[row.keys :] if number in attributes]
    options["cockroachdb_include"] = stored
    if _BEFORE_2_1:
        index["include_columns"] = stored
    if row.method in ("inverted", "gin"):
        options["cockroachdb_inverted"] = True
    sharded = _HASH.search(row.definition or "")
    if sharded is not None:
        options["cockroachdb_hash"] = int(sharded[1]) if sharded[1] else True
    if row.predicate:
        options["postgresql_where"] = row.predicate
    index["dialect_options"] = options
    return index


def is_index_alone(definition: str) -> bool:
    """Return whether a unique index says what no unique constraint can: CockroachDB lists one for each.

    That is a descending key, an expression, a condition, or stored columns.
    """
    text = _QUOTED.sub("x", definition)
    return bool(re.search(r" (?:DESC|WHERE|STORING)\b", text)) or text.split(" USING ", 1)[0].count("(") > 1


def without_outer_parentheses(text: str) -> str:
    """Return `text` without the parentheses around all of it."""
    while text.startswith("(") and _closing(text) == len(text) - 1:
        text = text[1:-1]
    return text


def _closing(text: str) -> int:
    """Return where the parenthesis that opens `text` is closed; strings and quoted names are passed over."""
    depth = 0
    for match in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]", text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return -1
