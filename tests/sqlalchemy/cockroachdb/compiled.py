"""The dialect, and what it compiles a construct to."""

from __future__ import annotations

from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa

DIALECT = CockroachDBDialect_kecoa()


def compiled(construct):
    return " ".join(str(construct.compile(dialect=DIALECT)).split())
