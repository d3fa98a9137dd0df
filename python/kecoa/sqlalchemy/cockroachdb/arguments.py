"""What tables, indexes and constraints may say beyond PostgreSQL's arguments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import schema

ARGUMENTS: list[tuple[type[Any], dict[str, Any]]] = [
    (schema.Table, {"locality": None, "with": None}),
    (schema.Index, {"inverted": False, "include": None, "hash": False, "with": None}),
    (schema.PrimaryKeyConstraint, {"hash": False}),
    (schema.UniqueConstraint, {"hash": False}),
]
