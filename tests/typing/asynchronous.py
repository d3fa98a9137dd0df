"""What type checkers make of `kecoa.aio`; `tests/test_typing.py` runs mypy and pyright on this file."""

from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_type

from kecoa import aio


@dataclass
class Account:
    """A row."""

    id: int
    balance: int


async def rows() -> None:
    conn = await aio.connect("dbname=bank")
    assert_type(conn, aio.AsyncConnection)
    assert_type(conn.cursor(), aio.AsyncCursor)
    assert_type(await (await conn.execute("SELECT 1")).fetchone(), tuple[Any, ...] | None)
    cur = conn.cursor(row_factory=aio.class_row(Account))
    assert_type(await cur.fetchall(), list[Account])
    async for account in cur:
        assert_type(account, Account)
    assert_type(await conn.cursor(row_factory=aio.dict_row).fetchone(), dict[str, Any] | None)
    await conn.comit()  # type: ignore[attr-defined]


async def rows_of_a_connection() -> None:
    async with await aio.connect("dbname=bank", row_factory=aio.class_row(Account)) as conn:
        cur = await conn.execute("SELECT id, balance FROM accounts")
        assert_type(await cur.fetchone(), Account | None)
        assert_type(await conn.cursor("named").fetchmany(10), list[Account])


async def by_the_class() -> None:
    plain = await aio.AsyncConnection.connect("dbname=bank")
    assert_type(plain, aio.AsyncConnection)
    assert_type(await plain.cursor().fetchone(), tuple[Any, ...] | None)
    typed = await aio.AsyncConnection.connect("dbname=bank", row_factory=aio.class_row(Account))
    assert_type(await (await typed.execute("SELECT 1")).fetchall(), list[Account])


async def transfers(conn: aio.AsyncConnection, pool: aio.AsyncConnectionPool) -> None:
    async def balance(conn: aio.AsyncConnection, account: int) -> int:
        row = await (await conn.execute("SELECT %s", (account,))).fetchone()
        return int(row[0]) if row else 0

    assert_type(await aio.run_transaction(conn, balance, 1), int)
    assert_type(await aio.run_transaction(pool, balance, 1), int)
    assert_type(await aio.run_transaction(lambda: aio.connect("dbname=bank"), balance, 1), int)
    assert_type(await aio.run_transaction(conn, lambda conn: balance(conn, 1)), int)
    await aio.run_transaction(conn, lambda conn: conn.comit())  # type: ignore[attr-defined]
    async for attempt in aio.attempts(conn):
        async with attempt as tried:
            assert_type(tried, aio.AsyncConnection)


@aio.transactional
async def transfer(conn: aio.AsyncConnection, source: int, target: int) -> str:
    """Move money."""
    await conn.execute("SELECT %s", (source,))
    return str(target)


async def decorated(conn: aio.AsyncConnection, pool: aio.AsyncConnectionPool) -> None:
    assert_type(await transfer(conn, 1, 2), str)
    assert_type(await transfer(pool, 1, target=2), str)


async def pools() -> None:
    async with aio.AsyncConnectionPool("dbname=bank") as pool, pool.connection() as conn:
        await conn.comit()  # type: ignore[attr-defined]
        assert_type(conn.cursor(), aio.AsyncCursor[Any])
        assert_type(conn.cursor(row_factory=aio.class_row(Account)), aio.AsyncCursor[Account])
    assert_type(await pool.getconn(), aio.AsyncConnection[Any])
