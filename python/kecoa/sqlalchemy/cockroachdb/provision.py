"""What SQLAlchemy's test plugin does to a CockroachDB before and after tests.

SQLAlchemy imports the module `provision` beside a dialect. Only tests use it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.testing import provision

__all__: list[str] = []


@provision.temp_table_keyword_args.for_db("cockroachdb")  # type: ignore[untyped-decorator]
def _temporary_tables(cfg: Any, eng: Any) -> dict[str, Any]:
    return {"prefixes": ["TEMPORARY"]}


@provision.set_default_schema_on_connection.for_db("cockroachdb")  # type: ignore[untyped-decorator]
def _set_default_schema(cfg: Any, dbapi_connection: Any, schema_name: str) -> None:
    before = dbapi_connection.autocommit
    dbapi_connection.autocommit = True
    cursor = dbapi_connection.cursor()
    cursor.execute(f"SET search_path = {schema_name}")
    cursor.close()
    dbapi_connection.autocommit = before


@provision.drop_all_schema_objects_post_tables.for_db("cockroachdb")  # type: ignore[untyped-decorator]
def _drop_enums(cfg: Any, eng: Any) -> None:
    enums = inspect(eng).get_enums("*")
    with eng.begin() as conn:
        for enum in enums:
            conn.execute(postgresql.DropEnumType(postgresql.ENUM(name=enum["name"], schema=enum["schema"])))


@provision.upsert.for_db("cockroachdb")  # type: ignore[untyped-decorator]
def _upsert(
    cfg: Any,
    table: Any,
    returning: Any,
    *,
    set_lambda: Any = None,
    sort_by_parameter_order: bool = False,
    index_elements: Any = None,
) -> Any:
    statement = postgresql.insert(table)
    if set_lambda:
        statement = statement.on_conflict_do_update(
            index_elements=index_elements or inspect(table).selectable.primary_key,
            set_=set_lambda(statement.excluded),
        )
    else:
        statement = statement.on_conflict_do_nothing()
    return statement.returning(*returning, sort_by_parameter_order=sort_by_parameter_order)
