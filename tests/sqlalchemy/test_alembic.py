"""Alembic: a representative migration up and down, and autogenerate that finds nothing the second time."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import SimpleNamespace

import alembic.command
import alembic.config
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata, produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from kecoa.sqlalchemy.alembic import CockroachDBImpl
from kecoa.sqlalchemy.cockroachdb import INT4, INT8, STRING
from tests.docs import blocks
from tests.sqlalchemy.databases import database

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs/en/guides/fastapi.md"


def model(cockroachdb):
    """What a shop has: each kind of column, key, index, constraint and comment that comes to mind."""
    metadata = sa.MetaData()
    status = sa.Enum("new", "paid", "sent", name="order_status")
    sa.Table(
        "customer",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Uuid, server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.String(50), nullable=False, comment="as they write it"),
        sa.Column("note", sa.Text),
        sa.Column("active", sa.Boolean, server_default=sa.text("true"), nullable=False),
        sa.Column("score", sa.Integer, server_default="0", nullable=False),
        sa.Column("city", sa.String, server_default="Jakarta"),
        sa.UniqueConstraint("key", name="customer_key"),
        sa.Index("customer_name", "name"),
        sa.Index("customer_by_score", sa.text("score DESC"), unique=True),
        sa.CheckConstraint("score >= 0", name="score_is_positive"),
        comment="who buys",
    )
    extra = [
        sa.Column("data", postgresql.JSONB if cockroachdb else sa.JSON),
        sa.Column("quantity", INT4 if cockroachdb else sa.Integer),
    ]
    if cockroachdb:
        extra += [
            sa.Column("wide", INT8),
            sa.Column("text", STRING(20)),
            sa.Column("json", sa.JSON),
            sa.Index("orders_data", "data", cockroachdb_inverted=True),
            sa.Index("orders_placed", "placed", cockroachdb_include=["total"]),
        ]
    sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("customer_id", sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", status, server_default="new", nullable=False),
        sa.Column("placed", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("day", sa.Date),
        sa.Column("took", sa.Interval),
        sa.Column("total", sa.Numeric(10, 2), nullable=False),
        sa.Column("rate", sa.Float),
        sa.Column("tags", postgresql.ARRAY(sa.Text)),
        sa.Column("blob", sa.LargeBinary),
        sa.Column("small", sa.SmallInteger),
        sa.Column("doubled", sa.Numeric, sa.Computed("total * 2", persisted=True)),
        *extra,
        sa.Index("orders_of_customer", "customer_id", "status", postgresql_where=sa.text("total > 0")),
        sa.Index("orders_by_day", "day"),
    )
    return metadata


@pytest.fixture(params=["postgresql", "cockroachdb"])
def url(request):
    if request.param == "cockroachdb":
        endpoint = request.getfixturevalue("endpoint")
        given = sa.make_url(endpoint.url).set(drivername="cockroachdb+kecoa")
        engine = sa.create_engine(given, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            conn.exec_driver_sql("CREATE DATABASE alembic_test")
        yield given.set(database="alembic_test")
        with engine.connect() as conn:
            conn.exec_driver_sql("DROP DATABASE alembic_test CASCADE")
        engine.dispose()
        return
    with database(request.getfixturevalue("dsn"), "alembic") as given:
        yield given.set(drivername="postgresql+kecoa")


@pytest.fixture
def engine(url):
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


def context(conn):
    return MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})


def differences(engine, metadata):
    with engine.connect() as conn:
        return compare_metadata(context(conn), metadata)


def test_a_second_autogenerate_finds_nothing(engine):
    metadata = model(engine.name == "cockroachdb")
    with engine.begin() as conn:
        script = produce_migrations(context(conn), metadata)
        assert len(script.upgrade_ops.ops) >= 2
        operations = Operations(context(conn))
        for operation in script.upgrade_ops.ops:
            for each in getattr(operation, "ops", [operation]):
                operations.invoke(each)
    assert differences(engine, metadata) == []
    metadata.drop_all(engine)


def recipe(conn, metadata):
    """Return the context that the guide's recipe configures for `metadata`."""
    (block,) = [found for found in blocks.read(GUIDE).blocks if "include_name=" in found.source]
    configured = []
    # In env.py it is Alembic's context that takes the call.
    names = {
        "Base": SimpleNamespace(metadata=metadata),
        "connection": conn,
        "context": SimpleNamespace(
            configure=lambda connection, **opts: configured.append(
                MigrationContext.configure(connection, opts=opts)
            )
        ),
    }
    exec(block.source, names)
    (made,) = configured
    return made


def test_the_guides_recipe_leaves_other_programs_tables_alone(engine):
    other = sa.MetaData()
    sa.Table("theirs", other, sa.Column("id", sa.Integer, primary_key=True))
    other.create_all(engine)
    ours = sa.MetaData()
    sa.Table("kept", ours, sa.Column("id", sa.Integer, primary_key=True), sa.Column("added", sa.Text))
    sa.Table("new", ours, sa.Column("id", sa.Integer, primary_key=True))
    before = sa.MetaData()
    sa.Table("kept", before, sa.Column("id", sa.Integer, primary_key=True))
    before.create_all(engine)
    with engine.connect() as conn:
        without = {found[0] for found in compare_metadata(context(conn), ours)}
        found = compare_metadata(recipe(conn, ours), ours)
    other.drop_all(engine)
    before.drop_all(engine)
    assert "remove_table" in without
    assert sorted(difference[0] for difference in found) == ["add_column", "add_table"]


def test_the_guides_recipe_knows_tables_of_a_schema(engine):
    ours = sa.MetaData(schema="shop")
    sa.Table("kept", ours, sa.Column("id", sa.Integer, primary_key=True))
    with engine.begin() as conn:
        conn.execute(sa.schema.CreateSchema("shop"))
    ours.create_all(engine)
    with engine.connect() as conn:
        opts = {**recipe(conn, ours).opts, "include_schemas": True}
        assert compare_metadata(MigrationContext.configure(conn, opts=opts), ours) == []
    ours.drop_all(engine)
    with engine.begin() as conn:
        conn.execute(sa.schema.DropSchema("shop"))


def test_tables_made_by_create_all_have_no_differences(engine):
    metadata = model(engine.name == "cockroachdb")
    metadata.create_all(engine)
    assert differences(engine, metadata) == []
    # And what is different is found.
    changed = model(engine.name == "cockroachdb")
    orders = changed.tables["orders"]
    orders.c.total.nullable = True
    orders.c.small.type = sa.BigInteger()
    orders.append_column(sa.Column("added", sa.Text))
    found = str(differences(engine, changed))
    for expected in ("modify_nullable", "modify_type", "add_column"):
        assert expected in found
    metadata.drop_all(engine)


def test_what_is_reflected_is_rendered_and_made_again(engine):
    """The generated code runs; types of our own are imported by it."""
    metadata = model(engine.name == "cockroachdb")
    metadata.create_all(engine)
    with engine.connect() as conn:
        script = produce_migrations(context(conn), sa.MetaData())
        # What is referred to comes first.
        script.downgrade_ops.ops.sort(key=lambda operation: operation.table_name != "customer")
        code = render_python_code(script.downgrade_ops, migration_context=context(conn))
    metadata.drop_all(engine)
    names = {"op": None, "sa": sa, "postgresql": postgresql}
    if engine.name == "cockroachdb":
        from kecoa.sqlalchemy import cockroachdb

        names["cockroachdb"] = cockroachdb
    with engine.begin() as conn:
        names["op"] = Operations(context(conn))
        exec("if True:\n    pass\n" + code, names)
    if engine.name == "cockroachdb":
        assert "cockroachdb.INT4()" in code
    assert {"customer", "orders"} <= set(sa.inspect(engine).get_table_names())
    assert [d for d in differences(engine, metadata) if d[0] not in ("add_fk", "remove_fk")] == []
    metadata.drop_all(engine)


ENV = """
from alembic import context
import sqlalchemy as sa

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url"))
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
"""

MIGRATIONS = {
    "one": """
        revision, down_revision = "one", None
        def upgrade():
            op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer),
                            sa.Column("b", sa.String(10)))
            op.create_index("t_a", "t", ["a"], unique=True)
        def downgrade():
            op.drop_index("t_a", table_name="t")
            op.drop_table("t")
    """,
    "two": """
        revision, down_revision = "two", "one"
        def upgrade():
            op.add_column("t", sa.Column("c", sa.Text, server_default="x", nullable=False))
            op.execute("INSERT INTO t (a, b) VALUES (1, 'one')")
            op.alter_column("t", "b", type_=sa.String(50), nullable=False, comment="wider")
            op.alter_column("t", "a", new_column_name="aa")
            op.create_check_constraint("positive", "t", "aa > 0")
            op.create_table("u", sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
                            sa.Column("t_id", sa.Integer))
            op.create_foreign_key("u_t", "u", "t", ["t_id"], ["id"])
        def downgrade():
            op.drop_constraint("u_t", "u", type_="foreignkey")
            op.drop_table("u")
            op.drop_constraint("positive", "t", type_="check")
            op.alter_column("t", "aa", new_column_name="a")
            op.drop_column("t", "c")
    """,
}


def test_migrations_go_up_and_down(url, engine, tmp_path):
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    for name, text in MIGRATIONS.items():
        (versions / f"{name}.py").write_text(
            "from alembic import op\nimport sqlalchemy as sa\n" + textwrap.dedent(text)
        )
    config = alembic.config.Config()
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
    alembic.command.upgrade(config, "head")
    inspector = sa.inspect(engine)
    columns = {column["name"]: column for column in inspector.get_columns("t")}
    assert list(columns) == ["id", "aa", "b", "c"]
    assert columns["b"]["type"].length == 50
    assert columns["b"]["comment"] == "wider"
    assert not columns["b"]["nullable"]
    assert [key["name"] for key in inspector.get_foreign_keys("u")] == ["u_t"]
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT aa, b, c FROM t")).all() == [(1, "one", "x")]
        assert conn.execute(sa.text("SELECT version_num FROM alembic_version")).all() == [("two",)]
    alembic.command.downgrade(config, "one")
    assert [column["name"] for column in sa.inspect(engine).get_columns("t")] == ["id", "a", "b"]
    alembic.command.downgrade(config, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


class Locked(Exception):
    """As the server writes it."""

    pgcode = "57000"

    def __init__(self):
        super().__init__(
            'this schema change is disallowed because table "t" is locked and this operation cannot'
        )


def test_a_locked_table_is_unlocked_for_a_schema_change():
    """Emulated: the local endpoint locks no schemas."""
    sent = []

    class Connection:
        dialect = sa.create_engine("cockroachdb+kecoa://").dialect
        refuse = True

        def in_transaction(self):
            return True

        def exec_driver_sql(self, statement):
            sent.append(statement)

        def execute(self, construct, *args):
            sent.append(str(construct.compile(dialect=self.dialect)))
            if self.refuse:
                self.refuse = False
                raise sa.exc.OperationalError("ALTER", {}, Locked())

    connection = Connection()
    impl = CockroachDBImpl(connection.dialect, connection, False, None, None, {})
    impl.add_column("t", sa.Column("a", INT8), schema="s")
    assert sent == [
        "ALTER TABLE s.t ADD COLUMN a INT8",
        "ROLLBACK",
        "ALTER TABLE s.t SET (schema_locked = false)",
        "ALTER TABLE s.t ADD COLUMN a INT8",
        "ALTER TABLE s.t SET (schema_locked = true)",
    ]
