"""Statements of CockroachDB's: UPSERT, hints, keys that the server makes, values."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.dialects import postgresql

from kecoa.sqlalchemy.cockroachdb import INT2, INT4, INT8, STRING, upsert
from tests.sqlalchemy.cockroachdb.compiled import compiled

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


@pytest.mark.parametrize("kind", [sa.Interval(), postgresql.INTERVAL(), postgresql.INTERVAL(precision=6)])
def test_intervals_as_literals(engine, metadata, kind):
    table = sa.Table("waits", metadata, sa.Column("v", kind))
    metadata.create_all(engine)
    values = [
        dt.timedelta(days=3, seconds=4, microseconds=5),
        dt.timedelta(microseconds=-1),
        dt.timedelta(days=-40000, microseconds=123456),
        dt.timedelta(),
    ]
    with engine.begin() as conn:
        for value in values:
            insert = table.insert().values(v=sa.literal(value, kind, literal_execute=True))
            text = str(insert.compile(engine, compile_kwargs={"literal_binds": True}))
            assert "make_interval" not in text
            conn.exec_driver_sql(text)
            assert conn.scalar(sa.select(table.c.v)) == value
            assert conn.scalar(sa.select(sa.func.count()).where(table.c.v == value)) == 1
            conn.execute(table.delete())


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
