"""The dialect cockroachdb+kecoa on the local endpoint; what only a cluster can do is compiled and compared."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from kecoa.sqlalchemy.cockroachdb import INT2, INT4, INT8, STRING, VECTOR, NamedType, upsert
from kecoa.sqlalchemy.cockroachdb.base import CockroachDBDialect
from kecoa.sqlalchemy.cockroachdb.catalog_rows import index_of
from kecoa.sqlalchemy.cockroachdb.kecoa import CockroachDBDialect_kecoa
from kecoa.sqlalchemy.cockroachdb.timetravel import timestamp
from kecoa.sqlalchemy.cockroachdb.types import type_of

DIALECT = CockroachDBDialect_kecoa()


def compiled(construct):
    return " ".join(str(construct.compile(dialect=DIALECT)).split())


@pytest.fixture(scope="module")
def url(endpoint):
    given = sa.make_url(endpoint.url).set(drivername="cockroachdb+kecoa")
    engine = sa.create_engine(given, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql("CREATE DATABASE dialect_test")
    yield given.set(database="dialect_test")
    with engine.connect() as conn:
        conn.exec_driver_sql("DROP DATABASE dialect_test CASCADE")
    engine.dispose()


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def metadata(engine):
    metadata = sa.MetaData()
    yield metadata
    metadata.drop_all(engine)


# ---- the server -------------------------------------------------------------------------------


def test_the_dialect_for_postgresql_connects_to_it(url):
    """SQLAlchemy's own drivers say "Could not determine version from string" there."""
    engine = sa.create_engine(url.set(drivername="postgresql+kecoa"))
    with engine.begin() as conn:
        assert conn.dialect.name == "postgresql"
        assert conn.dialect.server_version_info >= (9, 5)
        assert conn.scalar(sa.select(sa.literal(40) + 2)) == 42
    engine.dispose()


def test_the_dialect_for_postgresql_connects_to_it_with_asyncio(url):
    async def ask():
        engine = create_async_engine(url.set(drivername="postgresql+kecoa"))
        async with engine.begin() as conn:
            answer = await conn.scalar(sa.select(sa.literal(40) + 2))
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == 42


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CockroachDB CCL v26.2.1 (x86_64-pc-linux-gnu, built 2026/05/20, go1.25)", (26, 2, 1)),
        ("CockroachDB OSS v25.4.0-beta.2 (x86_64)", (25, 4, 0)),
        ("kecoa local endpoint (CockroachDB v25.2.0 dialect, PostgreSQL 18.6)", (25, 2, 0)),
    ],
)
def test_versions(text, expected):
    class Connection:
        def exec_driver_sql(self, statement):
            return self

        def scalar(self):
            return text

    assert DIALECT._get_server_version_info(Connection()) == expected


def test_a_postgresql_is_not_taken_for_a_cockroachdb(dsn):
    import kecoa

    engine = sa.create_engine("cockroachdb+kecoa://", creator=lambda: kecoa.connect(dsn))
    with pytest.raises(exc.InvalidRequestError, match=r"PostgreSQL's URL begins with postgresql\+kecoa"):
        engine.connect()


def test_what_the_dialect_knows_of_the_server(engine):
    with engine.connect() as conn:
        assert conn.dialect.server_version_info >= (25, 1)
        assert conn.dialect.default_schema_name == "public"
        assert conn.dialect.default_isolation_level == "SERIALIZABLE"
        assert conn.dialect.supports_sane_rowcount


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"])
def test_isolation_levels(engine, level):
    with engine.connect().execution_options(isolation_level=level) as conn:
        assert conn.execute(sa.text("SHOW transaction_isolation")).scalar_one().upper() == level
        assert conn.get_isolation_level() == level
    with engine.connect() as conn:
        assert conn.get_isolation_level() == "SERIALIZABLE"


def test_options_that_cockroachdb_has_not():
    with pytest.raises(exc.ArgumentError, match="hstore"):
        sa.create_engine("cockroachdb+kecoa://", use_native_hstore=True)
    with pytest.raises(exc.ArgumentError, match="autoincrement_as"):
        sa.create_engine("cockroachdb+kecoa://", autoincrement_as="magic")


def test_the_plain_name_is_known():
    assert sa.create_engine("cockroachdb://").dialect.driver == "kecoa"


# ---- statements -------------------------------------------------------------------------------


def accounts_table(metadata, **columns):
    return sa.Table(
        "accounts",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("balance", sa.Integer),
    )


def test_upsert(engine, metadata):
    accounts = accounts_table(metadata)
    metadata.create_all(engine)
    with engine.begin() as conn:
        conn.execute(upsert(accounts).values(id=1, balance=100))
        conn.execute(upsert(accounts), [{"id": 1, "balance": 150}, {"id": 2, "balance": 50}])
        rows = conn.execute(
            upsert(accounts).returning(accounts.c.id), [{"id": id, "balance": id} for id in range(2, 5)]
        )
        assert sorted(rows.scalars()) == [2, 3, 4]
        more = sa.select(accounts.c.id + 10, accounts.c.balance)
        conn.execute(upsert(accounts).from_select(["id", "balance"], more))
        found = conn.execute(sa.select(accounts).order_by(accounts.c.id)).all()
    assert found == [(1, 150), (2, 2), (3, 3), (4, 4), (11, 150), (12, 2), (13, 3), (14, 4)]


def test_upsert_behind_a_common_table_expression():
    accounts = accounts_table(sa.MetaData())
    new = sa.insert(accounts).values(id=1).returning(accounts.c.id).cte("added")
    text = compiled(upsert(accounts).from_select(["id"], sa.select(new.c.id)))
    assert text.startswith("WITH added AS (INSERT INTO accounts")
    assert "UPSERT INTO accounts (id) SELECT" in text
    assert "kecoa" not in text


def test_upsert_is_cockroachdbs_alone():
    accounts = accounts_table(sa.MetaData())
    with pytest.raises(exc.CompileError, match="postgresql has no UPSERT"):
        upsert(accounts).compile(dialect=postgresql.dialect())
    with pytest.raises(exc.InvalidRequestError, match="use insert"):
        upsert(accounts).on_conflict_do_nothing()
    with pytest.raises(exc.InvalidRequestError, match="use insert"):
        upsert(accounts).on_conflict_do_update(index_elements=["id"], set_={"balance": 1})


def test_on_conflict_is_there_too(engine, metadata):
    accounts = accounts_table(metadata)
    metadata.create_all(engine)
    insert = postgresql.insert(accounts)
    with engine.begin() as conn:
        for _ in range(2):
            conn.execute(
                insert.values(id=1, balance=5).on_conflict_do_update(
                    index_elements=["id"], set_={"balance": accounts.c.balance + insert.excluded.balance}
                )
            )
        assert conn.execute(sa.select(accounts.c.balance)).scalar_one() == 10


def test_index_hints_and_locks(engine, metadata):
    accounts = accounts_table(metadata)
    sa.Index("accounts_balance", accounts.c.balance)
    metadata.create_all(engine)
    query = sa.select(accounts.c.id).with_hint(accounts, "accounts_balance", "cockroachdb").with_for_update()
    assert compiled(query) == "SELECT accounts.id FROM accounts@accounts_balance FOR UPDATE"
    with engine.begin() as conn:
        conn.execute(query)
        conn.execute(sa.select(accounts).with_for_update(skip_locked=True))


def test_rows_that_are_gone_are_noticed(engine, metadata):
    """The ORM's check for stale rows needs a row count that can be trusted."""
    base = orm.declarative_base(metadata=metadata)

    class Row(base):
        __tablename__ = "stale"
        id = sa.Column(sa.Integer, primary_key=True)
        value = sa.Column(sa.Integer)

    metadata.create_all(engine)
    with orm.Session(engine, expire_on_commit=False) as session:
        row = Row(value=1)
        session.add(row)
        session.commit()
        with engine.begin() as conn:
            conn.execute(sa.delete(Row.__table__))
        row.value = 2
        with pytest.raises(orm.exc.StaleDataError):
            session.flush()


@pytest.mark.parametrize("autoincrement_as", ["serial", "identity"])
def test_keys_are_made_by_the_server(url, metadata, autoincrement_as):
    engine = sa.create_engine(url, autoincrement_as=autoincrement_as)
    base = orm.declarative_base(metadata=metadata)

    class Row(base):
        __tablename__ = "keys"
        id = sa.Column(sa.Integer, primary_key=True)
        value = sa.Column(sa.Integer)

    metadata.create_all(engine)
    with orm.Session(engine) as session:
        rows = [Row(value=value) for value in range(2500)]
        session.add_all(rows)
        session.commit()
        assert dict(session.execute(sa.select(Row.id, Row.value)).all()) == {
            row.id: row.value for row in rows
        }
    (column,) = (c for c in sa.inspect(engine).get_columns("keys") if c["name"] == "id")
    assert column["autoincrement"]
    assert ("identity" in column) == (autoincrement_as == "identity")
    assert (column["default"] == "unique_rowid()") == (autoincrement_as == "serial")
    # Without RETURNING the key is asked for first.
    plain = sa.Table("keys", sa.MetaData(), autoload_with=engine, implicit_returning=False)
    with engine.begin() as conn:
        (key,) = conn.execute(sa.insert(plain).values(value=-1)).inserted_primary_key
        assert conn.execute(sa.select(plain.c.value).where(plain.c.id == key)).scalar_one() == -1
    engine.dispose()


def test_uuid_keys_sequences_and_savepoints(engine, metadata):
    sequence = sa.Sequence("numbers", metadata=metadata)
    things = sa.Table(
        "things",
        metadata,
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column("number", sa.Integer, sequence),
    )
    metadata.create_all(engine)
    assert sa.inspect(engine).get_sequence_names() == ["numbers"]
    with engine.begin() as conn:
        (key,) = conn.execute(sa.insert(things)).inserted_primary_key
        assert isinstance(key, uuid.UUID)
        with pytest.raises(exc.IntegrityError), conn.begin_nested():
            conn.execute(sa.insert(things).values(id=key))
        conn.execute(sa.insert(things))
        assert conn.execute(sa.select(things.c.number).order_by(things.c.number)).scalars().all() == [1, 3]


def test_values_of_many_types(engine, metadata):
    values = {
        "i2": (INT2, 2**15 - 1),
        "i4": (INT4, 2**31 - 1),
        "i8": (INT8, 2**63 - 1),
        "string": (STRING(5), "héll"),
        "json": (sa.JSON, {"a": [1, None, "x"]}),
        "jsonb": (postgresql.JSONB, [1, 2]),
        "texts": (postgresql.ARRAY(sa.Text), ["a", None, "b,c"]),
        "ints": (sa.ARRAY(sa.Integer), [1, 2]),
        "took": (postgresql.INTERVAL(precision=3), dt.timedelta(days=1, seconds=1.5)),
        "at": (sa.DateTime(timezone=True), dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone.utc)),
        "tz": (postgresql.TIME(timezone=True), dt.time(1, 2, tzinfo=dt.timezone(dt.timedelta(hours=7)))),
        "bits": (postgresql.BIT(3), "101"),
        "price": (sa.Numeric(10, 2), decimal.Decimal("1.50")),
        "blob": (sa.LargeBinary, b"\0\xff"),
        "mood": (sa.Enum("good", "bad", name="mood"), "bad"),
        "moods": (postgresql.ARRAY(sa.Enum("x", "y", name="moods")), ["y", "x"]),
        "address": (postgresql.INET, "10.0.0.1/8"),
    }
    table = sa.Table("types", metadata, *(sa.Column(name, type_) for name, (type_, _) in values.items()))
    metadata.create_all(engine)
    row = {name: value for name, (_, value) in values.items()}
    with engine.begin() as conn:
        conn.execute(sa.insert(table), row)
        found = conn.execute(sa.select(table)).mappings().one()
        assert found["tz"].utcoffset() == row["tz"].utcoffset()
        assert {**found, "bits": str(found["bits"]), "address": str(found["address"])} == row
        assert conn.execute(sa.select(table.c.json["a"][2].as_string())).scalar_one() == "x"
        assert (
            conn.execute(sa.select(table.c.i4).where(sa.literal("a") == sa.any_(table.c.texts))).scalar_one()
            == 2**31 - 1
        )


def test_server_side_cursors(url):
    """They were refused by sqlalchemy-cockroachdb."""
    engine = sa.create_engine(url)
    numbers = sa.select(sa.func.generate_series(1, 2500))
    with engine.connect() as conn:
        result = conn.execution_options(yield_per=100).execute(numbers)
        assert result.cursor.name  # a cursor of the server's has one
        assert [len(part) for part in result.partitions()] == [100] * 25
    engine.dispose()

    async def main():
        engine = create_async_engine(url)
        async with engine.connect() as conn:
            result = await conn.stream(numbers, execution_options={"yield_per": 100})
            assert sum([row[0] async for row in result]) == 2500 * 2501 // 2
        await engine.dispose()

    asyncio.run(main())


# ---- reading the past -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-10s", "'-10s'"),
        (dt.timedelta(seconds=90), "'-90.000000s'"),
        (dt.timedelta(seconds=-90), "'-90.000000s'"),
        (dt.datetime(2026, 1, 2, 3, 4, 5), "'2026-01-02 03:04:05.000000+00:00'"),
        (
            dt.datetime(2026, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=7))),
            "'2026-01-01 20:00:00.000000+00:00'",
        ),
        (decimal.Decimal("1700000000000000000.0000000001"), "1700000000000000000.0000000001"),
        ("follower_read_timestamp()", "follower_read_timestamp()"),
        ("with_max_staleness('10s')", "with_max_staleness('10s')"),
    ],
)
def test_points_of_the_past(value, expected):
    assert timestamp(value) == expected


@pytest.mark.parametrize("value", ["'; DROP TABLE t; --", "f()'", True, 1.5, None])
def test_other_points_are_refused(value):
    with pytest.raises(exc.ArgumentError, match="cockroachdb_as_of_system_time"):
        timestamp(value)


class Recording:
    """A connection that writes down what it is told: the local endpoint has no past to read."""

    def __init__(self):
        self.sent = []

    def cursor(self):
        return self

    def execute(self, statement):
        self.sent.append(statement)

    def close(self):
        pass


def test_transactions_begin_in_the_past():
    dialect, conn = CockroachDBDialect_kecoa(), Recording()
    dialect.do_begin(conn)
    assert conn.sent == []
    options = dialect.connection_characteristics
    options["cockroachdb_as_of_system_time"].set_characteristic(dialect, conn, "-10s")
    dialect.do_begin(conn)
    options["cockroachdb_follower_reads"].set_characteristic(dialect, conn, True)
    assert options["cockroachdb_follower_reads"].get_characteristic(dialect, conn)
    dialect.do_begin(conn)
    options["cockroachdb_as_of_system_time"].reset_characteristic(dialect, conn)
    dialect.do_begin(conn)
    assert conn.sent == [
        "SET TRANSACTION AS OF SYSTEM TIME '-10s'",
        "SET TRANSACTION AS OF SYSTEM TIME follower_read_timestamp()",
    ]


NEAR = [{"cockroachdb_as_of_system_time": "-10s"}, {"cockroachdb_follower_reads": True}]


@pytest.mark.parametrize("option", NEAR, ids=str)
def test_transactions_in_the_past_only_read(url, engine, option):
    """The local endpoint reads the present for them, and refuses a past that is further away."""
    far = {"cockroachdb_as_of_system_time": "-1h"}
    with engine.connect().execution_options(**option) as conn:
        assert conn.execute(sa.text("SELECT 1")).scalar_one() == 1
        assert conn.execute(sa.text("SHOW transaction_read_only")).scalar_one() == "on"
    with pytest.raises(exc.NotSupportedError, match="the past"):
        with engine.connect().execution_options(**far) as conn:
            conn.execute(sa.text("SELECT 1"))
    # The option ended with the connection's return to the pool.
    with engine.connect() as conn:
        assert conn.execute(sa.text("SHOW transaction_read_only")).scalar_one() == "off"

    async def main():
        engine = create_async_engine(url)
        async with engine.connect() as conn:
            await conn.execution_options(**option)
            assert (await conn.execute(sa.text("SHOW transaction_read_only"))).scalar_one() == "on"
        await engine.dispose()

    asyncio.run(main())


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


def test_tables_views_and_sequences_are_told_apart(inspector):
    assert inspector.get_table_names() == ["child", "keyless", "parent"]
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
    assert set(metadata.tables) == {"child", "keyless", "parent", "shop.item"}
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


def test_the_dialect_goes_with_other_drivers(endpoint):
    """What is CockroachDB's own relies on no driver."""
    from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

    class Dialect(CockroachDBDialect, PGDialect_psycopg2):
        supports_statement_cache = True

    from sqlalchemy.dialects import registry

    registry.impls["cockroachdb.psycopg2_test"] = lambda: Dialect
    engine = sa.create_engine(sa.make_url(endpoint.url).set(drivername="cockroachdb+psycopg2_test"))
    with engine.connect() as conn:
        assert conn.dialect.server_version_info >= (25, 1)
        assert isinstance(sa.inspect(conn).get_table_names(), list)
    engine.dispose()
