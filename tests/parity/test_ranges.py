"""Ranges: the objects by themselves, and both ways between Python and the server."""

from __future__ import annotations

import datetime as dt
import importlib
import itertools
import pickle
from decimal import Decimal

import psycopg2
import psycopg2.extras
import pytest

import kecoa
import kecoa.extras

DAY, MOMENT = dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, 5, 6)
ZONED = MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=7)))

ARGUMENTS = [
    {},
    {"empty": True},
    {"lower": 1, "upper": 2, "empty": True},
    *(
        {"lower": lower, "upper": upper, "bounds": bounds}
        for lower, upper, bounds in itertools.product((None, 1, 3), (None, 3, 1), ("[)", "(]", "()", "[]"))
    ),
]


def ranges(module):
    return importlib.import_module(module.__name__ + "._range")


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_the_object(same, arguments):
    def action(module, conn, cur):
        r = module.extras.Range(**arguments)
        flags = [r.isempty, r.lower, r.upper, r.lower_inf, r.upper_inf, r.lower_inc, r.upper_inc, bool(r)]
        inside = [value in r for value in (0, 1, 2, 3, 4, 1.5)]
        again = pickle.loads(pickle.dumps(r))
        return repr(r), str(r), flags, inside, again == r, hash(again) == hash(r), r.__getstate__()

    same(action)


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_order_and_equality(same, arguments):
    def action(module, conn, cur):
        one = module.extras.Range(**arguments)
        others = [module.extras.NumericRange(**each) for each in ARGUMENTS]
        return [
            (one < other, one <= other, one > other, one >= other, one == other, one != other)
            for other in others
        ] + [one == 3, one != 3]

    same(action)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda r: r(bounds="("),
        lambda r: r(bounds="[}"),
        lambda r: r(1, 2) < 3,
        lambda r: r(1, 2) >= 3,
        lambda r: r("a") < r(1),
        lambda r: "a" in r(1, 2),
        lambda r: hash(r([1], 2)),
    ],
)
def test_mistakes_with_the_object(same, mistake):
    same(lambda module, conn, cur: mistake(module.extras.Range))


@pytest.mark.parametrize("attribute", ["lower", "upper", "bounds", "other"])
def test_a_range_does_not_change(attribute):
    with pytest.raises(AttributeError):
        setattr(kecoa.extras.Range(1, 2), attribute, 3)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("NumericRange", (1, 2)),
        ("NumericRange", (None, 2, "(]")),
        ("NumericRange", (Decimal("1.50"), 2.5, "[]")),
        ("NumericRange", (10**30, None)),
        ("NumericRange", (-5, -1)),
        ("NumericRange", (None, None, "()", True)),
        ("DateRange", (DAY, None)),
        ("DateRange", (None, DAY, "[]")),
        ("DateRange", (None, None, "[)", True)),
        ("DateRange", ("infinity", "x'\\y")),
        ("DateTimeRange", (MOMENT, MOMENT, "[]")),
        ("DateTimeTZRange", (ZONED, None)),
        ("Range", (1, 2)),
    ],
)
def test_adaptation(same, name, arguments):
    def action(module, conn, cur):
        value = getattr(module.extras, name)(*arguments)
        return cur.mogrify("%s %s %s", (value, [value], (value,)))

    same(action)


def test_bounds_that_are_no_numbers(parity_connections):
    """psycopg2 ends the literal with their quotes: what follows in the bound is SQL."""
    theirs, ours = (conn.cursor() for conn in parity_connections)
    bound = "0,)'); DROP TABLE parity; --"
    assert theirs.mogrify("%s", (psycopg2.extras.NumericRange(bound, 1),)).startswith(b"'['0,)''); DROP")
    with pytest.raises(kecoa.DataError, match="expected a number as the bound of a numeric range"):
        ours.mogrify("%s", (kecoa.extras.NumericRange(bound, 1),))


def test_bounds_that_have_no_digits(parity_connections):
    """psycopg2 puts a literal with a cast into the literal, which no server reads."""
    theirs, ours = (conn.cursor() for conn in parity_connections)
    for lower, upper in ((float("-inf"), Decimal("Infinity")), (1, float("nan"))):
        with pytest.raises(psycopg2.errors.SyntaxError):
            theirs.execute("SELECT %s::numrange", (psycopg2.extras.NumericRange(lower, upper),))
        theirs.connection.rollback()
        ours.execute("SELECT %s::numrange::text", (kecoa.extras.NumericRange(lower, upper),))
        assert ours.fetchone() in [("[-Infinity,Infinity)",), ("[1,NaN)",)]
    ours.connection.rollback()


@pytest.mark.parametrize("type_", ["int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"])
@pytest.mark.parametrize("shape", ["NULL", "'empty'", "'(,)'", "'[{0},{0}]'", "'({0},)'", "'(,{0}]'"])
def test_values_from_the_server(same, type_, shape):
    bound = {"d": '"2020-01-02"', "t": '"2020-01-02 03:04:05.000006"'}.get(type_[0], "7")
    literal = shape.format(bound)
    same(
        lambda module, conn, cur: (
            cur.execute(f"SELECT {literal}::{type_}, ARRAY[{literal}::{type_}]") or cur.fetchall()
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "empty",
        "EMPTY",
        "(,)",
        "[1,2)",
        "[,2]",
        "[1,2",
        " [1,2)",
        '["1",2]',
        '["1\\"",2]',
        "[a,b)",
        '("",)',
    ],
)
def test_parsing_numbers(same, text):
    same(lambda module, conn, cur: ranges(module).int4range_caster.parse(text, cur))


@pytest.mark.parametrize(
    "text",
    [
        '["a""b","c\\\\d")',
        '[a,"")',
        '["a,b",c]',
        "[a b,c]",
        '["a\nb",]',
        '[é,"\\""]',
        '[a"b"c,d]',
        "[a\\,b,c]",
        '[",",]',
    ],
)
def test_parsing_text(same, text):
    def action(module, conn, cur):
        caster = module.extras.RangeCaster("textrange", "TextRange", 99_991, 25)
        return caster.parse(text, cur), caster.typecaster.name, caster.array_typecaster

    same(action)


@pytest.mark.parametrize("pgrange", ["name", 3, int, "RangeAdapter", "NumberRangeAdapter"])
@pytest.mark.parametrize("pyrange", ["Name", 3, int, None, "Range", "DateRange"])
def test_what_a_caster_is_made_of(same, pgrange, pyrange):
    def action(module, conn, cur):
        known = ranges(module)
        made = known.RangeCaster(
            getattr(known, str(pgrange), pgrange) if pgrange != "name" else pgrange,
            getattr(known, str(pyrange), pyrange) if pyrange != "Name" else pyrange,
            99_992, 25, 99_993,
        )  # fmt: skip
        casters = made.typecaster, made.array_typecaster
        return made.range.__name__, made.adapter.name, [(c.name, c.values) for c in casters], made.subtype_oid

    same(action)


SCHEMAS = """
    CREATE TYPE textrange AS RANGE (SUBTYPE = text);
    CREATE SCHEMA other;
    CREATE TYPE other.onlythere AS RANGE (SUBTYPE = text);
    CREATE TYPE other.textrange AS RANGE (SUBTYPE = int4);
    CREATE TYPE other."Odd Name" AS RANGE (SUBTYPE = float8);
"""
NAMES = [
    "textrange", "TextRange", '"textrange"', "public.textrange", "other.textrange", "other.onlythere", "onlythere",
    'other."Odd Name"', "other.Odd Name", "Odd Name", "nope", "nope.x", "int4", "textrange[]", "not a name", "",
]  # fmt: skip


@pytest.mark.parametrize("path", ["public", "other", "other, public"])
@pytest.mark.parametrize("name", NAMES)
def test_registration_by_name(same, registrations, name, path):
    def action(module, conn, cur):
        cur.execute(SCHEMAS)
        cur.execute(f"SET LOCAL search_path TO {path}")
        made = module.extras.register_range(name, "Made", cur)
        value = made.range("a", "b\"\\'", "[]")
        registered = {
            module.extensions.string_types.get(n, made.typecaster).name for n in made.typecaster.values
        }
        return made.adapter.name, made.typecaster.name, registered, cur.mogrify("%s", (value,))

    same(action)


@pytest.mark.parametrize("began", [False, True])
def test_a_name_that_is_not_found_leaves_the_transaction_as_it_was(same, began):
    def action(module, conn, cur):
        if began:
            cur.execute("CREATE TEMP TABLE kept (id int)")
        with pytest.raises(module.ProgrammingError, match="PostgreSQL range 'no such' not found"):
            module.extras.register_range("no such", "Made", conn)
        status = conn.status
        cur.execute("SELECT to_regclass('pg_temp.kept') IS NOT NULL")
        return status, cur.fetchone()

    same(action)


def test_text_ranges_go_both_ways(same, registrations):
    def action(module, conn, cur):
        cur.execute(SCHEMAS)
        made = module.extras.register_range("textrange", "TextRange", conn)
        values = [
            made.range(a, b)
            for a in ("", '"', "a,b", None)
            for b in ("x\\", "ab(]", "~'", None)
            if not a or a < (b or "~")
        ]
        cur.execute("SELECT %s, %s", (values, made.range(empty=True)))
        back = cur.fetchone()
        cur.execute("SELECT 1")  # the type's oid is another one each time
        return back, back[0] == values

    same(action)


def test_registration_errors(same):
    same(lambda module, conn, cur: module.extras.register_range("int4range", "X", None))
    same(lambda module, conn, cur: module.extras.register_range("int4range", 3, conn))


def test_a_range_adapter_without_a_name(same):
    same(lambda module, conn, cur: module.extras.RangeAdapter(module.extras.Range(1, 2)).getquoted())
