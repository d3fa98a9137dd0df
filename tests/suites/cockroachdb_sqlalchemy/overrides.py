"""What the suites, which know drivers and dialects by name, are told of ours. Only their processes load this."""

from __future__ import annotations

from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa
from kecoa.sqlalchemy.cockroachdb.kecoa_async import CockroachDBDialectAsync_kecoa

# Expectations of server-side cursors go by the driver's name.
CockroachDBDialect_kecoa.driver = "psycopg2"
CockroachDBDialectAsync_kecoa.driver = "asyncpg"

# sqlalchemy-cockroachdb's tests ask that dialect how old the server is.
for _version in ("2", "21", "191", "192", "201", "202", "231"):
    setattr(CockroachDBDialect_kecoa, f"_is_v{_version}plus", True)
CockroachDBDialect_kecoa._has_native_json = True
