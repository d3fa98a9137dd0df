"""What reflection finds on the local endpoint and in rows of a cluster."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql

from kecoa.sqlalchemy.cockroachdb.catalog_rows import index_of
from tests.sqlalchemy.cockroachdb.compiled import DIALECT

DDL = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE parent (id INT PRIMARY KEY, a INT, b INT, UNIQUE (a, b));
COMMENT ON TABLE parent IS 'above';
COMMENT ON COLUMN parent.a IS 'first';
CREATE TABLE shop.item (id INT GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2) PRIMARY KEY);
CREATE TABLE child (
    id INT2, i4 INT4, s STRING DEFAULT 'x', made INT AS (i4 + 1) STORED, seen INT AS (i4 + 2) VIRTUAL, m mood DEFAULT 'good', ms mood[],
    took INTERVAL(3), tz TIMETZ, bits BIT(3), data JSONB, price DECIMAL(10,2) NOT NULL,
    pa INT, pb INT, item INT REFERENCES shop.item ON DELETE CASCADE,
    CONSTRAINT child_key PRIMARY KEY (id),
    CONSTRAINT child_parent FOREIGN KEY (pa, pb) REFERENCES parent (a, b) ON UPDATE CASCADE,
    CONSTRAINT positive CHECK (price > 0),
    CONSTRAINT child_s UNIQUE (s),
    INDEX child_price (price DESC) STORING (s),
    INVERTED INDEX child_data (data)
);
CREATE INDEX child_lower ON child (lower(s), i4) WHERE i4 > 5;
CREATE TABLE keyless (a INT);
CREATE TABLE unusual (id INT PRIMARY KEY, a INT, "b DESC" STRING);
CREATE UNIQUE INDEX plain ON unusual (a, "b DESC");
CREATE UNIQUE INDEX descending ON unusual (a DESC);
CREATE UNIQUE INDEX part ON unusual (a) WHERE a > 0;
CREATE UNIQUE INDEX stored ON unusual (a) STORING ("b DESC");
CREATE UNIQUE INDEX computed ON unusual (lower("b DESC"));
CREATE VIEW firsts AS SELECT a FROM parent;
CREATE MATERIALIZED VIEW kept AS SELECT b FROM parent;
CREATE SEQUENCE counter;
"""


@pytest.fixture(scope="module")
def reflected(endpoint):
    given = sa.make_url(endpoint.url).set(drivername="cockroachdb+kecoa")
    admin = sa.create_engine(given, isolation_level="AUTOCOMMIT")
    with admin.connect() as conn:
        conn.exec_driver_sql("CREATE DATABASE reflected")
    engine = sa.create_engine(given.set(database="reflected"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for statement in DDL.split(";\n"):
            if statement.strip():
                conn.exec_driver_sql(statement)
    yield engine
    engine.dispose()
    with admin.connect() as conn:
        conn.exec_driver_sql("DROP DATABASE reflected CASCADE")
    admin.dispose()


@pytest.fixture
def inspector(reflected):
    return sa.inspect(reflected)


def test_tables_views_and_sequences_are_distinguished(inspector):
    assert inspector.get_table_names() == ["child", "keyless", "parent", "unusual"]
    assert inspector.get_view_names() == ["firsts"]
    assert inspector.get_materialized_view_names() == ["kept"]
    assert inspector.get_sequence_names()[0] == "counter"
    assert inspector.get_table_names("shop") == ["item"]
    assert {"public", "shop"} <= set(inspector.get_schema_names())
    assert "crdb_internal" not in inspector.get_schema_names()
    assert inspector.has_table("child")
    assert not inspector.has_table("child", "shop")
    assert [column["name"] for column in inspector.get_columns("firsts")] == ["a"]
    assert "SELECT" in inspector.get_view_definition("firsts").upper()
    with pytest.raises(exc.NoSuchTableError):
        inspector.get_columns("nothing")


def test_columns(inspector):
    columns = {column["name"]: column for column in inspector.get_columns("child")}
    types = {name: " ".join(str(c["type"].compile(dialect=DIALECT)).split()) for name, c in columns.items()}
    assert types == {
        "id": "INT2", "i4": "INT4", "s": "TEXT", "made": "INT8", "seen": "INT8", "m": "mood", "ms": "mood[]",
        "took": "INTERVAL (3)", "tz": "TIME WITH TIME ZONE", "bits": "BIT(3)", "data": "JSONB",
        "price": "DECIMAL(10, 2)", "pa": "INT8", "pb": "INT8", "item": "INT8",
    }  # fmt: skip
    assert columns["made"]["computed"]["persisted"]
    assert not columns["seen"]["computed"]["persisted"]
    assert "i4 + 1" in columns["made"]["computed"]["sqltext"]
    assert columns["made"]["default"] is None
    assert columns["m"]["type"].enums == ["good", "bad"]
    assert "good" in columns["m"]["default"]
    assert not columns["price"]["nullable"]
    (key,) = inspector.get_columns("item", "shop")
    assert key["identity"] == {
        "always": True, "start": 5, "increment": 2, "minvalue": 1, "maxvalue": 2**63 - 1, "cycle": False, "cache": 1,
    }  # fmt: skip
    assert key["autoincrement"]
    assert [column["name"] for column in inspector.get_columns("keyless")] == ["a"]
    assert inspector.get_columns("parent")[1]["comment"] == "first"
    assert inspector.get_table_comment("parent") == {"text": "above"}


def test_constraints(inspector):
    assert inspector.get_pk_constraint("child")["constrained_columns"] == ["id"]
    assert inspector.get_pk_constraint("child")["name"] == "child_key"
    assert inspector.get_pk_constraint("keyless")["constrained_columns"] == []
    keys = {key["name"]: key for key in inspector.get_foreign_keys("child")}
    assert keys["child_parent"]["constrained_columns"] == ["pa", "pb"]
    assert keys["child_parent"]["referred_columns"] == ["a", "b"]
    assert keys["child_parent"]["referred_schema"] is None
    assert keys["child_parent"]["options"] == {"onupdate": "CASCADE"}
    (other,) = (key for name, key in keys.items() if name != "child_parent")
    assert (other["referred_schema"], other["referred_table"]) == ("shop", "item")
    assert other["options"] == {"ondelete": "CASCADE"}
    (check,) = inspector.get_check_constraints("child")
    assert check["name"] == "positive"
    assert check["sqltext"].startswith("price > ")
    (unique,) = inspector.get_unique_constraints("child")
    assert (unique["name"], unique["column_names"]) == ("child_s", ["s"])


def test_indexes(inspector):
    indexes = {index["name"]: index for index in inspector.get_indexes("child")}
    assert set(indexes) == {"child_data", "child_lower", "child_price", "child_s"}
    assert indexes["child_price"]["column_sorting"] == {"price": ("desc",)}
    assert indexes["child_price"]["dialect_options"] == {"cockroachdb_include": ["s"]}
    assert indexes["child_data"]["dialect_options"]["cockroachdb_inverted"]
    assert indexes["child_s"]["duplicates_constraint"] == "child_s"
    assert indexes["child_lower"]["column_names"] == [None, "i4"]
    assert indexes["child_lower"]["expressions"] == ["lower(s)", "i4"]
    assert "i4 > 5" in indexes["child_lower"]["dialect_options"]["postgresql_where"]


def test_unique_indexes_that_no_constraint_can_say(inspector):
    """CockroachDB lists a constraint for each of them; made again from that it would be another index."""
    assert [key["name"] for key in inspector.get_unique_constraints("unusual")] == ["plain"]
    duplicates = {i["name"]: i.get("duplicates_constraint") for i in inspector.get_indexes("unusual")}
    assert duplicates == {
        "plain": "plain",
        "descending": None,
        "part": None,
        "stored": None,
        "computed": None,
    }


def test_hash_sharded_indexes_of_a_cluster():
    """Emulated: the local endpoint has one range. The row is as CockroachDB's pg_index has it."""

    class Row:
        name, is_unique, columns, keys, options, method, predicate, index_oid = (
            "i", False, "2 3", 1, "2", "prefix", None, 7,
        )  # fmt: skip
        definition = (
            "CREATE INDEX i ON db.public.t USING btree (a ASC) USING HASH WITH (bucket_count=16) STORING (b)"
        )

    class Column:
        def __init__(self, name):
            self.name = name

    found = index_of(Row, {2: Column("a"), 3: Column("b")}, {}, False)
    assert found == {
        "name": "i",
        "unique": False,
        "column_names": ["a"],
        "dialect_options": {"cockroachdb_include": ["b"], "cockroachdb_hash": 16},
    }


def test_reflecting_everything_takes_few_queries(reflected):
    statements = []
    sa.event.listen(reflected, "before_cursor_execute", lambda *args: statements.append(args[2]))
    metadata = sa.MetaData()
    metadata.reflect(reflected)
    metadata.reflect(reflected, schema="shop")
    assert set(metadata.tables) == {"child", "keyless", "parent", "unusual", "shop.item"}
    assert len(statements) <= 24  # twelve a schema, however many tables it has
    child = metadata.tables["child"]
    assert isinstance(child.c.m.type, postgresql.ENUM)
    assert {index.name for index in child.indexes} == {"child_data", "child_lower", "child_price"}


def test_what_was_reflected_can_be_made_again(reflected, engine):
    metadata = sa.MetaData()
    metadata.reflect(reflected, only=["parent", "keyless"])
    metadata.create_all(engine)
    again = sa.MetaData()
    again.reflect(engine, only=["parent", "keyless"])
    for name, table in metadata.tables.items():
        assert [(c.name, str(c.type)) for c in table.c] == [
            (c.name, str(c.type)) for c in again.tables[name].c
        ]
    metadata.drop_all(engine)


def test_hidden_columns_are_shown_when_asked_for(inspector):
    columns = inspector.get_columns("child", include_hidden=True)
    assert not any(column["is_hidden"] for column in columns)
