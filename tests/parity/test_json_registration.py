"""Registration of JSON types: scopes, oids, parsers; and the `Json` adapter."""

from __future__ import annotations

import importlib
import json
from decimal import Decimal

import pytest

QUERY = """SELECT '{"a": 1.50, "b": null}'::json, ARRAY['[1]'::json, NULL], '{"a": 1.50}'::jsonb, ARRAY['[1]'::jsonb]"""


def decimals(text):
    return json.loads(text, parse_float=Decimal)


def names(casters):
    return [caster and (caster.name, caster.values) for caster in casters]


@pytest.mark.parametrize("function", ["register_json", "register_default_json", "register_default_jsonb"])
@pytest.mark.parametrize("scope", ["connection", "cursor", None])
@pytest.mark.parametrize("globally", [False, True])
@pytest.mark.parametrize("loads", [None, decimals, lambda text: text])
def test_scopes_and_parsers(same, registrations, function, scope, globally, loads):
    def action(module, conn, cur):
        where = {"connection": conn, "cursor": cur}.get(scope)
        made = getattr(module.extras, function)(where, globally=globally, loads=loads)
        other = conn.cursor()
        rows = []
        for each in (other, cur):
            each.execute(QUERY)
            rows.append(each.fetchone())
        return rows, names(made), names((cur.string_types or {}).values()), names(conn.string_types.values())

    same(action)


@pytest.mark.parametrize(
    "arguments",
    [
        {"oid": 5}, {"oid": 5, "array_oid": 6}, {"oid": 5, "array_oid": 6, "name": "other"}, {"name": "jsonb"},
        {"name": "nope"}, {"name": "int4"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("began", [False, True])
def test_oids_by_name(same, registrations, arguments, began):
    def action(module, conn, cur):
        if began:
            cur.execute("SELECT 1")
        try:
            return names(module.extras.register_json(conn, **arguments)), conn.status
        except module.ProgrammingError as error:
            return str(error), conn.status

    same(action)


@pytest.mark.parametrize("name", ["json", "jsonb", "nope"])
def test_the_catalogue(same, name):
    def action(module, conn, cur):
        private = importlib.import_module(module.__name__ + "._json")
        return private._get_json_oids(conn, name), private._get_json_oids(cur, name), conn.status

    same(action)


def test_casters_alone(same):
    def action(module, conn, cur):
        private = importlib.import_module(module.__name__ + "._json")
        return [
            names(private._create_json_typecasters(*arguments))
            for arguments in ((1, None), (1, 2), (1, 2, decimals, "X"))
        ]

    same(action)


def test_no_connection(same):
    same(lambda module, conn, cur: module.extras.register_json())


@pytest.mark.parametrize(
    "value",
    [None, True, 1, 1.5, "te'xt\\", "é€", [1, "a", None], {"a": {"b": []}}, {"é": 1}, "\x00", float("nan")],
)
def test_what_json_sends(same, value):
    def action(module, conn, cur):
        adapter = module.extras.Json(value)
        adapter.prepare(conn)
        plain = module.extras.Json(value, dumps=lambda obj: json.dumps(obj, ensure_ascii=False, indent=1))
        return (
            adapter.getquoted(),
            str(adapter),
            adapter.adapted == value,
            cur.mogrify("%s %s", (adapter, [plain])),
        )

    same(action)


def test_a_subclass_and_dicts(same, registrations):
    def action(module, conn, cur):
        class Mine(module.extras.Json):
            def dumps(self, obj):
                return json.dumps(obj, default=str)

        module.extensions.register_adapter(dict, Mine)
        return cur.mogrify("%s", ({"a": Decimal("1.50")},))

    same(action)
