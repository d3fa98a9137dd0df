"""The NUL character, which no text of PostgreSQL has: each way of sending says the same of it."""

from __future__ import annotations

import asyncio

import pytest

import kecoa
from kecoa import extras, sql

LITERAL = r"A string literal cannot contain NUL \(0x00\) characters\."

VALUES = {
    "a string": "a\0b",
    "an array": ["a\0b"],
    "JSON": extras.Json(None, dumps=lambda value: '"a\0b"'),
    "a range": extras.NumericRange("1\0", None),
}


@pytest.fixture(params=["client", "server"])
def cur(connect, request):
    conn = connect(binding=request.param)
    conn.autocommit = True
    return conn.cursor()


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(
    "method", ["execute", "executemany", "mogrify", "execute_arrow", "pipeline", "callproc"]
)
def test_values(cur, method, value):
    def pipeline(statement, values):
        with cur.connection.pipeline():
            cur.execute(statement, values)

    with pytest.raises(ValueError, match=LITERAL):
        if method == "pipeline":
            pipeline("SELECT %s", (value,))
        elif method == "executemany":
            cur.executemany("SELECT %s::text", [("a",), (value,)])
        elif method == "callproc":
            cur.callproc("upper", (value,))
        else:
            getattr(cur, method)("SELECT %s", (value,))
    cur.execute("SELECT 42")
    assert cur.fetchone() == (42,)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_with_asyncio(dsn, value):
    async def run():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            for statement in ("SELECT %s", "SELECT %s::text"):
                with pytest.raises(ValueError, match=LITERAL):
                    await conn.execute(statement, (value,))
            with pytest.raises(ValueError, match=LITERAL):
                await conn.cursor().executemany("SELECT %s::text", [("a",), (value,)])
            with pytest.raises(ValueError, match=LITERAL):
                async for _ in conn.cursor().stream("SELECT %s", (value,)):
                    pass
            return await (await conn.execute("SELECT 42")).fetchone()

    assert asyncio.run(run()) == (42,)


def test_statements(cur, dsn):
    async def run():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            await conn.execute("SELECT 'a\0b'")

    for send in (
        lambda: cur.execute("SELECT 'a\0b'"),
        lambda: cur.execute(b"SELECT 'a\0b'"),
        lambda: cur.copy_expert("COPY (SELECT 1) TO STDOUT\0", None),
        lambda: asyncio.run(run()),
    ):
        with pytest.raises((kecoa.ProgrammingError, TypeError)) as raised:
            send()
        assert "NUL" in str(raised.value) or isinstance(raised.value, TypeError)


def test_names(cur, dsn):
    async def run():
        async with await kecoa.aio.connect(dsn) as conn:
            async with conn.transaction("a\0b"):
                pass

    for send in (
        lambda: cur.execute(sql.SQL("SELECT 1 AS {}").format(sql.Identifier("a\0b"))),
        lambda: kecoa.extensions.quote_ident("a\0b", cur),
        lambda: cur.connection.cursor("a\0b"),
        lambda: asyncio.run(run()),
    ):
        with pytest.raises(kecoa.InterfaceError, match=r"failed to escape identifier: .*NUL"):
            send()


def test_encodings(cur):
    with pytest.raises(ValueError, match="embedded null character"):
        cur.connection.set_client_encoding("UTF8\0")


def test_bytes_may_have_it(cur):
    cur.execute("SELECT %s", (b"a\0b",))
    assert bytes(cur.fetchone()[0]) == b"a\0b"
