"""Every kind of cursor with every way of fetching and moving: on the client, named, scrollable, held."""

from __future__ import annotations

import functools
import random

import pytest

from tests.parity.harness import describe_cursor, error, typed

KINDS = ["DictCursor", "RealDictCursor", "NamedTupleCursor", None]
FORMS = {
    "client": {},
    "named": {"name": "a name"},
    "scrollable": {"name": "s", "scrollable": True},
    "not scrollable": {"name": "n", "scrollable": False},
    "held": {"name": "h", "withhold": True},
    "held and scrollable": {"name": "hs", "withhold": True, "scrollable": True},
}
STEPS = [
    ("fetchone",),
    ("fetchmany",),
    ("fetchmany", 3),
    ("fetchmany", 0),
    ("fetchall",),
    ("scroll", 2),
    ("scroll", -3),
    ("scroll", 4, "absolute"),
    ("scroll", 0, "absolute"),
    ("scroll", 100),
    ("scroll", 1, "sideways"),
    ("__next__",),
]


def walk(cur, seed):
    """A walk of steps chosen by the seed: what each one gives and what the cursor shows then."""
    rng = random.Random(seed)
    seen = []
    for _ in range(9):
        name, *arguments = rng.choice(STEPS)
        if name == "__next__":
            # Of psycopg2's NamedTupleCursor, `next(cursor)` is a plain tuple: see test_row_types.
            name, step = "next", lambda: next(iter(cur))
        else:
            step = functools.partial(getattr(cur, name), *arguments)
        try:
            seen.append((name, arguments, typed(step())))
        except Exception as raised:
            seen.append((name, arguments, error(raised)))
            if getattr(raised, "pgcode", None):
                break  # the transaction has failed
        state = describe_cursor(cur)
        seen.append((state["rownumber"], state["rowcount"], state["statusmessage"]))
    return seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(8))
def test_a_walk(same, kind, form, seed):
    def action(module, conn, cur):
        factory = getattr(module.extras, kind) if kind else None
        with conn.cursor(cursor_factory=factory, **FORMS[form]) as own:
            own.itersize = 3
            own.arraysize = 2
            own.execute("SELECT i, 'n' || i AS name FROM generate_series(1, 10) i")
            before = describe_cursor(own)
            seen = walk(own, f"{form} {seed}")
            after = own.name, own.scrollable, own.withhold, own.itersize, own.arraysize
        return before, seen, after, own.closed

    same(action)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "client"])
@pytest.mark.parametrize("end", ["commit", "rollback", "autocommit"])
def test_after_the_transaction(same, form, end):
    def action(module, conn, cur):
        seen = []
        if end == "autocommit":
            conn.autocommit = True
        own = conn.cursor(**FORMS[form])
        for attempt in (
            lambda: own.execute("SELECT generate_series(1, 5)"),
            own.fetchone,
            lambda: end == "autocommit" or getattr(conn, end)(),
            own.fetchone,
            lambda: own.scroll(1),
            own.close,
        ):
            try:
                seen.append(attempt())
            except Exception as raised:
                seen.append(raised)
        conn.rollback()
        return seen

    same(action)


@pytest.mark.parametrize("form", FORMS)
def test_iterating_sends_itersize(same, form):
    def action(module, conn, cur):
        with conn.cursor(**FORMS[form]) as own:
            own.itersize = 4
            own.execute("SELECT generate_series(1, 10)")
            rows = []
            for row in own:
                rows.append((row, own.rownumber, own.query))
            return rows, own.rowcount

    same(action)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "client"])
def test_what_a_named_cursor_refuses(same, form):
    def action(module, conn, cur):
        seen = []
        own = conn.cursor(**FORMS[form])
        own.execute("SELECT 1")
        for attempt in (
            lambda: own.execute("SELECT 2"),
            lambda: own.executemany("SELECT %s", [(1,)]),
            lambda: own.callproc("now"),
            lambda: own.copy_expert("COPY (SELECT 1) TO STDOUT", None),
            lambda: setattr(own, "itersize", "x"),
            lambda: setattr(own, "scrollable", True),
            lambda: setattr(own, "withhold", True),
            lambda: own.nextset(),
        ):
            try:
                seen.append(attempt())
            except Exception as raised:
                seen.append(error(raised))
        return seen

    same(action)


@pytest.mark.parametrize("name", ['qu"ote', "sp ace", "\u00e9", "UPPER", "x" * 80, "", 3, b"bytes"])
def test_names(same, name):
    def action(module, conn, cur):
        own = conn.cursor(name)
        own.execute("SELECT %s", (1,))
        return own.name, own.query, own.fetchall()

    same(action)
