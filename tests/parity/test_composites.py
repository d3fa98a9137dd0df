"""Composite types: named tuples from the server."""

from __future__ import annotations

import datetime as dt

import pytest

TYPES = """
    CREATE TYPE pair AS (a int, b text);
    CREATE TYPE nest AS (day date, inner_pair pair, several pair[]);
    CREATE TYPE "Odd.Name" AS (a int);
    CREATE TYPE "9 lives" AS (a int);
    CREATE TYPE "_é-x" AS (a int, "é" int);
    CREATE TYPE underscored AS (a int, _b int);
    CREATE TYPE odd_fields AS ("x y" int);
    CREATE TYPE nothing AS ();
    CREATE TABLE altered (id int, gone int, note varchar(3));
    ALTER TABLE altered DROP gone;
    CREATE SCHEMA other;
    CREATE TYPE other.pair AS (i int);
    CREATE TYPE other.onlythere AS (i int);
    CREATE TYPE other."only there" AS (i int);
"""
NAMES = [
    "pair", "PAIR", '"pair"', "public.pair", "other.pair", "other.onlythere", "onlythere", "other.only there",
    'other."only there"', "only there", "nest", '"Odd.Name"', "Odd.Name", "9 lives", "_é-x", "underscored", "odd_fields", "nothing", "altered",
    "pg_namespace", "int4", "pair[]", "nope", "nope.x", "not a name", "",
]  # fmt: skip


@pytest.mark.parametrize("path", ["public", "other", "other, public"])
@pytest.mark.parametrize("name", NAMES)
def test_registration_by_name(same, name, path):
    def action(module, conn, cur):
        cur.execute(TYPES)
        cur.execute(f"SET LOCAL search_path TO {path}")
        made = module.extras.register_composite(name, cur)
        casters = made.typecaster, made.array_typecaster
        assert {c.values for c in casters} == {(oid,) for oid in cur.string_types}
        cur.execute("SELECT oid, typarray FROM pg_type WHERE oid = %s", (made.oid,))
        assert cur.fetchall() == [(made.oid, made.array_oid)]
        cur.execute("SELECT 1")
        # The types' oids are other ones each time; those of the attributes that PostgreSQL has are not.
        builtin = [oid for oid in made.atttypes if oid < 16_384]
        return made.name, made.schema, made.attnames, builtin, made.type.__name__, [c.name for c in casters]

    same(action)


@pytest.mark.parametrize("began", [False, True])
def test_a_name_that_is_not_found_leaves_the_transaction_as_it_was(same, began):
    def action(module, conn, cur):
        if began:
            cur.execute("CREATE TEMP TABLE kept (id int)")
        with pytest.raises(module.ProgrammingError, match="PostgreSQL type 'no such' not found"):
            module.extras.register_composite("no such", conn)
        status = conn.status
        cur.execute("SELECT to_regclass('pg_temp.kept') IS NOT NULL")
        return status, cur.fetchone()

    same(action)


TEXTS = [
    None, "", "(1,a)", "(1)", "(1,2,3)", "1,a", "(,)", '(1,"a""b")', '(1,"a\\\\b")', "(1, x)", "(x,1)", "(1,a", "(1,a)x",
    '(1,")', '(1,"")', '(1,"a\nb")', '(1,"(2,""(3,4)"")")', "(1,é(b)", '(1,"a,b")', "(1,a b)", '(1,"\'")',
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_parsing(same, text):
    def action(module, conn, cur):
        made = module.extras.CompositeCaster("pair", 99_994, [("a", 23), ("b", 25)])
        return made.parse(text, cur), made.array_typecaster, made.schema, made.typecaster.name

    same(action)


@pytest.mark.parametrize("text", TEXTS[1:])
def test_tokens(same, text):
    same(lambda module, conn, cur: module.extras.CompositeCaster.tokenize(text))


VALUES = [
    "",
    "a",
    'quote"',
    "back\\slash",
    "(paren)",
    "comma,",
    " ",
    "new\nline",
    "é",
    "{}",
    "'",
    '"\\",(',
    None,
]


@pytest.mark.parametrize("text", VALUES)
def test_both_ways(same, text):
    def action(module, conn, cur):
        cur.execute(TYPES)
        module.extras.register_composite("pair", cur)
        module.extras.register_composite("nest", cur)
        pair = (1, text)
        cur.execute(
            "SELECT %s::pair, %s::pair[], ROW(%s, %s, %s)::nest, NULL::pair",
            (pair, [pair, (None, text)], dt.date(2020, 1, 2), pair, [pair, None]),
        )
        row = cur.fetchone()
        cur.execute("SELECT 1")
        return row, row[0] == pair, row[2].inner_pair.b == text, type(row[2]).__name__

    same(action)


def test_other_objects(same):
    def action(module, conn, cur):
        class Dicts(module.extras.CompositeCaster):
            def make(self, values):
                return dict(zip(self.attnames, values, strict=True))

        cur.execute(TYPES)
        made = module.extras.register_composite("pair", cur, factory=Dicts)
        cur.execute("SELECT '(1,x)'::pair, ARRAY['(2,)'::pair]")
        row = cur.fetchone()
        cur.execute("SELECT 1")
        return row, type(made).__name__, made.make([1, 2])

    same(action)


@pytest.mark.parametrize("globally", [False, True])
def test_the_scope(same, registrations, globally):
    def action(module, conn, cur):
        cur.execute(TYPES)
        module.extras.register_composite("pair", cur, globally)
        other = conn.cursor()
        other.execute("SELECT '(1,x)'::pair")
        return other.fetchone()

    same(action)


def test_a_type_that_was_altered_meanwhile(same):
    def action(module, conn, cur):
        cur.execute(TYPES)
        module.extras.register_composite("pair", cur)
        cur.execute("ALTER TYPE pair ADD ATTRIBUTE c int")
        cur.execute("SELECT '(1,x,3)'::pair")
        try:
            cur.fetchone()
        except module.DataError as error:
            conn.rollback()
            cur.execute("SELECT 1")
            return str(error)

    same(action)


@pytest.mark.parametrize("wrong", [{"conn_or_curs": None}, {"name": 3}, {"factory": 3}])
def test_wrong_arguments(same, wrong):
    def action(module, conn, cur):
        with pytest.raises(Exception) as raised:
            module.extras.register_composite(**{"name": "pair", "conn_or_curs": conn, **wrong})
        return type(raised.value).__name__

    same(action)
