"""A typecaster, a row factory or a zone factory that uses the cursor whose rows it makes.

The rows are those that were there, or the fetch raises; never another statement's, one twice or one left out.
"""

from __future__ import annotations

import asyncio

import pytest

import kecoa
import kecoa.aio
from kecoa import extensions, extras

USED = "the cursor was used while its rows were converted"
STATEMENT = "SELECT n::text FROM generate_series(1, 5) n"

#: What the typecaster does with its cursor.
ACTIONS = {
    "execute": lambda cur: cur.execute("SELECT 'other' FROM generate_series(1, 9)"),
    "execute with as many rows": lambda cur: cur.execute("SELECT 'other' FROM generate_series(1, 5)"),
    "execute without rows": lambda cur: cur.execute("SET application_name = 'x'"),
    "executemany": lambda cur: cur.executemany("SELECT %s", [(1,), (2,)]),
    "fetchone": lambda cur: cur.fetchone(),
    "fetchmany": lambda cur: cur.fetchmany(2),
    "fetchall": lambda cur: cur.fetchall(),
    "scroll": lambda cur: cur.scroll(1),
    "scroll back": lambda cur: cur.scroll(0, "absolute"),
    "close": lambda cur: cur.close(),
    "callproc": lambda cur: cur.callproc("version"),
    "copy": lambda cur: cur.copy_expert("COPY (SELECT 1) TO STDOUT", __import__("io").StringIO()),
    "stream": lambda cur: next(cur.stream("SELECT 'other' FROM generate_series(1, 9)")),
}
HARMLESS = {
    "arraysize": lambda cur: setattr(cur, "arraysize", 1),
    "another cursor": lambda cur: cur.connection.cursor().execute("SELECT 'other'"),
    "closing the connection": lambda cur: cur.connection.close(),
    "cast": lambda cur: cur.cast(23, "1"),
}

FETCHES = {
    "fetchone": lambda cur: [cur.fetchone() for _ in range(5)],
    "fetchmany": lambda cur: cur.fetchmany(2) + cur.fetchmany(3),
    "fetchall": lambda cur: cur.fetchall(),
    "iteration": lambda cur: list(cur),
}


def caster(action, at):
    """A typecaster of text that does `action` once, at the row whose text is `at`."""
    done = []

    def cast(value, cur):
        if value == at and not done:
            done.append(value)
            action(cur)
        return value

    return extensions.new_type((25,), "USING", cast), done


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("fetch", FETCHES)
@pytest.mark.parametrize("at", ["1", "3", "5"])
@pytest.mark.parametrize("action", ACTIONS)
def test_no_wrong_rows(connect, action, at, fetch, binding):
    conn = connect(binding=binding)
    cur = conn.cursor()
    using, done = caster(ACTIONS[action], at)
    extensions.register_type(using, cur)
    cur.execute(STATEMENT)
    try:
        rows = FETCHES[fetch](cur)
    except kecoa.ProgrammingError as refused:
        assert USED in str(refused) or "scroll destination" in str(refused)  # noqa: PT017
    except kecoa.InterfaceError:
        assert action == "close"
    else:
        # Nothing was left to fetch, or nothing moved.
        assert rows == [(str(number),) for number in range(1, 6)]
        assert action in ("fetchone", "fetchmany", "fetchall", "scroll", "scroll back")
    assert done
    # The connection is good for more.
    conn.rollback()
    other = conn.cursor()
    other.execute("SELECT 7")
    assert other.fetchone() == (7,)


@pytest.mark.parametrize("fetch", FETCHES)
@pytest.mark.parametrize("action", HARMLESS)
def test_what_leaves_the_rows_alone(connect, action, fetch):
    cur = connect().cursor()
    using, done = caster(HARMLESS[action], "2")
    extensions.register_type(using, cur)
    cur.execute(STATEMENT)
    if action == "closing the connection" and fetch != "fetchall":
        with pytest.raises(kecoa.InterfaceError, match="closed"):
            FETCHES[fetch](cur)
    else:
        assert FETCHES[fetch](cur) == [(str(number),) for number in range(1, 6)]
    assert done


@pytest.mark.parametrize(
    "factory", [extras.DictCursor, extras.RealDictCursor, extras.NamedTupleCursor, extras.LoggingCursor]
)
def test_cursors_with_rows_of_their_own(connect, factory):
    conn = (
        connect(connection_factory=extras.LoggingConnection) if factory is extras.LoggingCursor else connect()
    )
    if factory is extras.LoggingCursor:
        conn.initialize(__import__("io").StringIO())
    cur = conn.cursor(cursor_factory=factory)
    using, _ = caster(lambda cur: cur.execute("SELECT 'other' AS n FROM generate_series(1, 9)"), "3")
    extensions.register_type(using, cur)
    cur.execute(STATEMENT)
    with pytest.raises(kecoa.ProgrammingError, match=USED):
        cur.fetchall()


def test_factories(connect):
    cur = connect().cursor()

    class Row(list):
        def __init__(self, cur):
            super().__init__([None])
            if cur.rownumber == 2:
                cur.scroll(-1)

    cur.execute(STATEMENT)
    cur.row_factory = Row
    assert cur.fetchmany(2) == [["1"], ["2"]]
    with pytest.raises(kecoa.ProgrammingError, match=USED):
        cur.fetchone()

    cur = connect().cursor()
    cur.tzinfo_factory = lambda offset: cur.execute("SELECT now(), now()")
    cur.execute("SELECT now()")
    with pytest.raises((kecoa.ProgrammingError, TypeError)):
        cur.fetchone()


def test_named_cursors_and_streams(connect):
    conn = connect()
    cur = conn.cursor("named")
    using, _ = caster(lambda cur: cur.fetchone(), "2")
    extensions.register_type(using, cur)
    cur.execute(STATEMENT)
    with pytest.raises(kecoa.ProgrammingError, match=USED):
        cur.fetchmany(3)
    cur = conn.cursor()
    using, _ = caster(lambda cur: cur.execute("SELECT 'other'"), "2")
    extensions.register_type(using, cur)
    seen = []
    with pytest.raises(kecoa.ProgrammingError, match=USED):
        seen.extend(cur.stream(STATEMENT, size=2))
    assert [row for row in seen if row[0] == "other"] == []


def test_asyncio(dsn):
    async def main():
        async with await kecoa.aio.connect(dsn) as conn:
            cur = conn.cursor()
            using, _ = caster(lambda inner: inner.fetchone(), "2")
            extensions.register_type(using, cur._inner)
            await cur.execute(STATEMENT)
            with pytest.raises(kecoa.ProgrammingError, match=USED):
                await cur.fetchall()

    asyncio.run(main())
