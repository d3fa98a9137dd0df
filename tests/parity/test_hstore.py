"""hstore: dict both ways."""

from __future__ import annotations

import psycopg2
import pytest

import kecoa
import kecoa.extras

ASCII = [chr(n) for n in range(32, 127)]
DICTS = [
    {},
    {"a": "1"},
    {"a": "1", "b": None},
    {"é": "q'\\", "": ""},
    {'"': '"=>"', "a=>b": ","},
    {"line\nbreak": "\ttab"},
    {letter: letter for letter in ASCII},
    {"".join(ASCII): "".join(ASCII)},
]


@pytest.fixture(scope="module", autouse=True)
def hstore(dsn, parity_connections):
    with psycopg2.connect(dsn) as conn, conn.cursor() as cur:
        cur.execute("CREATE EXTENSION IF NOT EXISTS hstore")
    conn.close()


@pytest.mark.parametrize(
    "value", [*DICTS, {1: 2}, {"a": [1]}, {None: "a"}, {"a": None}, {"a": True}, {b"x": "y"}], ids=str
)
def test_adaptation(same, registrations, value):
    def action(module, conn, cur):
        adapter = module.extras.HstoreAdapter(value)
        adapter.prepare(conn)
        module.extras.register_hstore(cur)
        return (
            adapter.getquoted(),
            adapter.wrapped == value,
            cur.mogrify("%s %s %s", (value, [value], (value,))),
        )

    same(action)


@pytest.mark.parametrize("value", DICTS, ids=str)
@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1"])
def test_both_ways(same, registrations, value, encoding):
    def action(module, conn, cur):
        conn.set_client_encoding(encoding)
        try:
            module.extras.register_hstore(conn)
            cur = conn.cursor()
            cur.execute("SELECT %s, %s, %s", (value, [value, {}], [[value]]))
            row = cur.fetchone()
            return row, row[0] == value
        finally:
            conn.set_client_encoding("UTF8")

    same(action)


@pytest.mark.parametrize("literal", ["NULL", "''", "'a=>NULL'", "'a=>b, c=>d'", '\'"a b"=>"c\\"d"\''])
def test_values_from_the_server(same, registrations, literal):
    def action(module, conn, cur):
        module.extras.register_hstore(cur, unicode=True)
        cur.execute(f"SELECT {literal}::hstore, ARRAY[{literal}::hstore, NULL]")
        return cur.fetchone()

    same(action)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "a", '"a"', '"a"=>"1"', '"a"=>"1",', '"a"=>"1" x', '"a"=>NULL', '"a"=>null', '"a"=>"1","b"=>"2"',
        '"a"  => "1" , "b"  =>  "2"', '"a"=>"1"  "b"=>"2"', ' "a"=>"1"', '"a"=>"1", "b"=>NUL', '"a\nb"=>"\\"c\\\\"',
        '"a"=>"1", ', '"a"=>"x\\yz"', '"a\\\\""=>"1"', '"a=>"1"', '"a"=>"1", "b"=>"2" "c"=>"3"',
    ],
)  # fmt: skip
def test_parsing(same, text):
    same(lambda module, conn, cur: module.extras.HstoreAdapter.parse(text, cur))


def test_parsing_bytes(same):
    same(lambda module, conn, cur: module.extras.HstoreAdapter.parse_unicode('"é"=>"1"'.encode(), cur))


def names(types):
    return [(caster.name, caster.values) for caster in types.values()]


@pytest.mark.parametrize(
    "oids",
    [
        {},
        {"oid": 77},
        {"oid": 77, "array_oid": 78},
        {"oid": (77, 79), "array_oid": (78, 80)},
        {"oid": (77,), "array_oid": (78, 0)},
    ],
)
def test_registration(same, registrations, oids):
    def action(module, conn, cur):
        module.extras.register_hstore(conn, **oids)
        module.extras.register_hstore(cur, **oids)
        return names(conn.string_types), names(cur.string_types), conn.status

    same(action)


def test_registration_everywhere(same, registrations):
    def action(module, conn, cur):
        cur.execute("SELECT 'hstore'::regtype::oid, 'hstore[]'::regtype::oid")
        oid, array_oid = cur.fetchone()
        module.extras.register_hstore(None, globally=True, oid=oid, array_oid=array_oid)
        cur.execute("SELECT 'a=>1'::hstore, ARRAY['a=>1'::hstore]")
        return cur.fetchone()

    same(action)


def test_a_database_without_it(same, registrations):
    def action(module, conn, cur):
        cur.execute("DROP EXTENSION hstore")
        assert module.extras.HstoreAdapter.get_oids(cur) == ((), ())
        module.extras.register_hstore(cur)

    same(action)


@pytest.mark.parametrize("began", [False, True])
def test_the_oids_and_the_transaction(same, began):
    def action(module, conn, cur):
        if began:
            cur.execute("SELECT 1")
        return module.extras.HstoreAdapter.get_oids(conn), conn.status

    same(action)


def test_no_connection(same):
    same(lambda module, conn, cur: module.extras.register_hstore(None))


def test_an_adapter_works_without_a_connection():
    assert kecoa.extras.HstoreAdapter({"a": "1"}).getquoted() == b"hstore(ARRAY['a'], ARRAY['1'])"
