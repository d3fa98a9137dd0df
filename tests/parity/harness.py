"""Runs one action on psycopg2 and on kecoa and describes what happened in the same words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import psycopg2

import kecoa

MODULES = (psycopg2, kecoa)

DIAG_FIELDS = (
    "severity",
    "severity_nonlocalized",
    "sqlstate",
    "message_primary",
    "message_detail",
    "message_hint",
    "statement_position",
    "internal_position",
    "internal_query",
    "context",
    "schema_name",
    "table_name",
    "column_name",
    "datatype_name",
    "constraint_name",
)


@dataclasses.dataclass
class Outcome:
    """What an action returned or raised, and what the cursor showed then."""

    result: Any
    state: dict[str, Any]


def typed(value: Any) -> Any:
    """A value together with its type, all the way down, in a form that compares and prints.

    NaN equals itself here, 1 differs from True and Decimal("1.0") from Decimal("1").
    """
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, [(typed(k), typed(v)) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        return kind, [typed(item) for item in value]
    if isinstance(value, memoryview):
        return kind, bytes(value)
    if isinstance(value, BaseException):
        return error(value)
    tz = getattr(value, "tzinfo", None)
    if tz is not None:
        return kind, value.replace(tzinfo=None).isoformat(), type(tz).__name__, str(value.utcoffset())
    return kind, repr(value).replace("kecoa.", "psycopg2.")


def error(exception: BaseException) -> Any:
    """An exception by the names of its classes, its message and its fields."""
    classes = [c.__name__ for c in type(exception).__mro__]
    # Ours go on with the value that Python has no object for, and what to do about it.
    message = str(exception).partition(": found the ")[0]
    if isinstance(exception, TypeError):
        return classes[0]  # the words are those of whoever checks arguments: C, Rust or Python
    if not hasattr(exception, "pgcode"):
        return classes[0], message
    diag = {name: getattr(exception.diag, name) for name in DIAG_FIELDS}
    return classes, exception.pgcode, exception.pgerror, message, diag


def describe_cursor(cur: Any) -> dict[str, Any]:
    """All that PEP 249 and psycopg2 let a program see of a cursor."""
    described = cur.description
    columns = None
    if described is not None:
        columns = [(tuple(column), column.table_oid, column.table_column) for column in described]
    return {
        "description": columns,
        "rowcount": cur.rowcount,
        "rownumber": cur.rownumber,
        "statusmessage": cur.statusmessage,
        "lastrowid": cur.lastrowid,
        "query": cur.query,
        "closed": cur.closed,
    }


def describe_connection(conn: Any) -> dict[str, Any]:
    """What a program sees of a connection that does not differ between two of them."""
    return {
        "status": conn.status,
        "transaction_status": conn.info.transaction_status if not conn.closed else None,
        "closed": conn.closed,
        "autocommit": conn.autocommit,
        "isolation_level": conn.isolation_level,
        "encoding": conn.encoding,
        "notices": [notice.rstrip() for notice in conn.notices],
    }


def observe(module: Any, conn: Any, action: Callable[[Any, Any, Any], Any]) -> Outcome:
    """Run `action(module, connection, cursor)` and roll back."""
    del conn.notices[:]
    cur = conn.cursor()
    try:
        try:
            result = typed(action(module, conn, cur))
        except Exception as raised:
            result = ("raised", error(raised))
        state = {**describe_cursor(cur), **describe_connection(conn)}
    finally:
        if not conn.closed:
            conn.rollback()
            conn.autocommit = False
    return Outcome(result, state)
