"""peewee's backend for CockroachDB: fields, UPSERT, transactions that are retried, introspection."""

from __future__ import annotations

import os

from peewee import SQL, CharField, ForeignKeyField, IntegrityError, Model, TextField, fn
from playhouse.cockroachdb import ArrayField, CockroachDatabase, JSONField, RowIDField, UUIDKeyField
from playhouse.reflection import Introspector

db = CockroachDatabase(os.environ["DATABASE_URL"])


class Base(Model):
    class Meta:
        database = db


class Person(Base):
    id = UUIDKeyField()
    name = CharField(max_length=20, unique=True)
    tags = ArrayField(CharField)


class Note(Base):
    id = RowIDField()
    person = ForeignKeyField(Person, backref="notes", on_delete="CASCADE")
    body = TextField(default="")
    data = JSONField()


db.create_tables([Person, Note])
assert db.server_version >= 250200, db.server_version
ani = Person.create(name="Ani", tags=["a", "b"])
assert Person.get(Person.tags.contains("b")) == ani
assert Person.insert(name="Ani", tags=[]).on_conflict_ignore().execute() is None
Person.insert(id=ani.id, name="Ani B.", tags=["c"]).on_conflict("upsert").execute()
assert Person.get_by_id(ani.id).name == "Ani B."
(row,) = Person.update(name="Ani").where(Person.id == ani.id).returning(Person.name).execute()
assert row.name == "Ani"
note = Note.create(person=ani, data={"k": {"n": [1, 2]}})
assert Note.get(Note.data["k"]["n"][1] == "2") == note
assert Note.select().where(Note.data.contains({"k": {}})).count() == 1

# As a function, with the part as a string.
(year,) = Note.select(fn.extract("year", SQL("'2026-02-03'::TIMESTAMP"))).tuples().get()
assert year == 2026

# Nested transactions, and one that is run again.
with db.atomic():
    refused = False
    try:
        with db.atomic():
            Person.create(name="Ani", tags=[])
    except IntegrityError:
        refused = True
    assert refused
attempts = []


def once_more(db):
    attempts.append(1)
    if len(attempts) < 3:
        db.execute_sql("SELECT crdb_internal.force_retry('1h')")
    return Person.select().count()


assert db.run_transaction(once_more, max_attempts=5) == 1
assert len(attempts) == 3
with db.atomic(system_time="-1ms"):
    assert Person.select().count() == 1

db.execute_sql("CREATE VIEW bodies AS SELECT body FROM note WHERE body > 'A'")
(view,) = db.get_views()
(name,) = db.execute_sql("SELECT current_database()").fetchone()
assert view.sql == f"SELECT body FROM {name}.public.note WHERE body > 'A'", view
models = Introspector.from_database(db).generate_models()
assert [field.name for field in models["note"]._meta.sorted_fields] == ["id", "person", "body", "data"]
assert models["note"].person.rel_model is models["person"]
found = {
    index.name: (index.columns, index.unique, index.sql.partition(" USING ")[2])
    for index in db.get_indexes("person")
}
assert found == {
    "person_name": (["name"], True, "btree (name ASC)"),
    "person_tags": (["tags"], False, "gin (tags)"),
}, found
db.execute_sql("DROP VIEW bodies")
db.drop_tables([Note, Person], cascade=True)
print("done")
