"""Tables, indexes and types that only CockroachDB has, compiled."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from kecoa.sqlalchemy.cockroachdb import INT8, STRING, VECTOR, NamedType
from kecoa.sqlalchemy.cockroachdb.types import type_of
from tests.sqlalchemy.cockroachdb.compiled import DIALECT, compiled

# ---- DDL --------------------------------------------------------------------------------------


def test_tables_of_a_cluster():
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", INT8, autoincrement=False),
        sa.Column("stored", sa.Integer, sa.Computed("id + 1")),
        sa.Column("virtual", sa.Integer, sa.Computed("id + 2", persisted=False)),
        sa.Column("family", STRING(3)),
        sa.Column("place", NamedType("GEOMETRY(POINT,4326)")),
        sa.Column("meaning", VECTOR(3)),
        sa.PrimaryKeyConstraint("id", cockroachdb_hash=8),
        cockroachdb_locality="REGIONAL BY ROW",
        cockroachdb_with={"ttl_expire_after": "'3 days'"},
    )
    assert compiled(CreateTable(table)) == (
        "CREATE TABLE t ( id INT8 NOT NULL, stored INTEGER AS (id + 1) STORED, "
        '"virtual" INTEGER AS (id + 2) VIRTUAL, "family" STRING(3), place GEOMETRY(POINT,4326), '
        "meaning VECTOR(3), PRIMARY KEY (id) USING HASH WITH (bucket_count = 8) ) "
        "WITH (ttl_expire_after = '3 days') LOCALITY REGIONAL BY ROW"
    )


def test_indexes_of_a_cluster():
    table = sa.Table("t", sa.MetaData(), *(sa.Column(name, sa.Integer) for name in "abc"), schema="s")
    cases = [
        (sa.Index("i", table.c.a, cockroachdb_hash=True), "CREATE INDEX i ON s.t (a) USING HASH"),
        (
            sa.Index(
                "i", table.c.a.desc(), unique=True, cockroachdb_hash=4, cockroachdb_include=["b", table.c.c]
            ),
            "CREATE UNIQUE INDEX i ON s.t (a DESC) USING HASH WITH (bucket_count = 4) STORING (b, c)",
        ),
        (
            sa.Index("i", table.c.a, cockroachdb_inverted=True, postgresql_where=table.c.b > 1),
            "CREATE INVERTED INDEX i ON s.t (a) WHERE b > 1",
        ),
        (
            sa.Index("i", sa.func.lower(table.c.a), table.c.b + 1, postgresql_concurrently=True),
            "CREATE INDEX CONCURRENTLY i ON s.t (lower(a), (b + 1))",
        ),
        (
            sa.Index("i", table.c.a, postgresql_using="gin", postgresql_ops={"a": "gin_trgm_ops"}),
            "CREATE INDEX i ON s.t USING gin (a gin_trgm_ops)",
        ),
        (
            sa.Index("i", table.c.a, cockroachdb_with={"fillfactor": 70}),
            "CREATE INDEX i ON s.t (a) WITH (fillfactor = 70)",
        ),
    ]
    for index, expected in cases:
        assert compiled(CreateIndex(index)) == expected
    assert compiled(DropIndex(cases[0][0], if_exists=True)) == "DROP INDEX IF EXISTS s.t@i"
    assert compiled(DropIndex(cases[1][0])) == "DROP INDEX s.t@i CASCADE"
    with pytest.raises(exc.CompileError, match="number of buckets"):
        compiled(CreateIndex(sa.Index("i", table.c.a, cockroachdb_hash="8")))


# ---- reflection -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INT2", "INT2"),
        ("INT4", "INT4"),
        ("INT8", "INT8"),
        ("DECIMAL(10,2)", "DECIMAL(10, 2)"),
        ("STRING", "TEXT"),
        ("STRING(3)", "STRING(3)"),
        ("VARCHAR(20)", "VARCHAR(20)"),
        ("CHAR", "CHAR"),
        ("TIMETZ(3)", "TIME(3) WITH TIME ZONE"),
        ("TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"),
        ("INTERVAL(3)", "INTERVAL (3)"),
        ("INTERVAL DAY TO SECOND", "INTERVAL DAY TO SECOND"),
        ("BIT(3)", "BIT(3)"),
        ("VARBIT", "BIT VARYING"),
        ("VECTOR(4)", "VECTOR(4)"),
        ("INT8[]", "INT8[]"),
        ("STRING COLLATE en_US", 'TEXT COLLATE "en_US"'),
        ("GEOMETRY(POINT,4326)", "GEOMETRY(POINT,4326)"),
        ("LTREE", "LTREE"),
        ("FLOAT4", "REAL"),
        ("TSVECTOR", "TSVECTOR"),
    ],
)
def test_types_by_their_names(name, expected):
    assert " ".join(type_of(name).compile(dialect=DIALECT).split()) == expected
