"""What SQLAlchemy's compliance suite may ask of the dialect: all of it, but what is listed with a reason."""

from __future__ import annotations

import inspect

from sqlalchemy.testing import exclusions
from sqlalchemy.testing.requirements import SuiteRequirements

EXCLUDED: dict[str, str] = {
    # The name asks for a thing that other databases do.
    "dbapi_lastrowid": "keys come back through RETURNING",
    "emulated_lastrowid": "keys come back through RETURNING",
    "emulated_lastrowid_even_with_sequences": "keys come back through RETURNING",
    "foreign_keys_reflect_as_index": "CockroachDB makes no index for a foreign key",
    "nvarchar_types": "CockroachDB has no NVARCHAR",
    "fetch_percent": "CockroachDB has no FETCH FIRST n PERCENT",
    "fetch_ties": "CockroachDB has no FETCH FIRST n ROWS WITH TIES",
    "autoincrement_insert": "keys are unique_rowid(), which is not 1, 2, 3",
    "json_deserializer_binary": "kecoa hands JSON to a custom deserializer as text",
    "materialized_views_reflect_pk": "a materialized view has no primary key but the hidden rowid",
    "reflect_indexes_with_ascdesc_as_expression": "a column in descending order is a column, not an expression",
    "repeated_remote_col_foreign_keys": "a foreign key refers to columns that are unique, each named once",
    "sequences_optional": "an optional sequence is left to SERIAL, whose keys are not 1, 2, 3",
    "create_temp_table_as": "temporary tables are behind a setting in CockroachDB",
    "temporary_views": "behind a setting in CockroachDB; and autocommit_before_ddl keeps them past a rollback",
}


def _closed_by_default() -> list[str]:
    """Return the names of what SQLAlchemy leaves to each dialect to open."""
    names = []
    for name, member in vars(SuiteRequirements).items():
        if isinstance(member, property) and "exclusions.closed()" in inspect.getsource(member.fget):
            names.append(name)
    return names


class Requirements(SuiteRequirements):
    """Opens what is not excluded."""

    # Asked for by sqlalchemy-cockroachdb's tests.
    sync_driver = property(lambda self: exclusions.open())

    def get_isolation_levels(self, config):
        return {
            "default": "SERIALIZABLE",
            "supported": ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "AUTOCOMMIT"],
        }


for _name in {*_closed_by_default(), *EXCLUDED}:
    _rule = exclusions.closed(EXCLUDED[_name]) if _name in EXCLUDED else exclusions.open()
    setattr(Requirements, _name, property(lambda self, rule=_rule: rule))
