"""Mistakes that type checkers must find: mypy and pyright each report every line that is marked, and no other."""

from dataclasses import dataclass

import kecoa
from kecoa import aio, extras, rows
from kecoa.extensions import connection


@dataclass
class Account:
    """A row."""

    id: int
    balance: int


def names_and_options(conn: connection) -> None:
    conn.comit()  # type: ignore[attr-defined]
    kecoa.connect(binding="sever")  # type: ignore[call-overload]
    conn.cursor(cursor_factory=extras.DictCurser)  # type: ignore[attr-defined]
    conn.cursor(scrollable="yes")  # type: ignore[call-overload]


def values_of_the_wrong_kind(conn: connection) -> None:
    with conn.cursor() as cur:
        cur.execute(b"SELECT 1", timeout="soon")  # type: ignore[arg-type]
        cur.fetchmany("ten")  # type: ignore[arg-type]
        cur.fetchone()[0]  # type: ignore[index]
        name: str = cur.rowcount  # type: ignore[assignment]
        print(name)


def row_factories(conn: connection) -> None:
    kecoa.connect("dbname=bank", row_factory="dict_row")  # type: ignore[call-overload]
    conn.cursor(row_factory=rows.dict_row)  # type: ignore[call-overload]
    typed = kecoa.connect("dbname=bank", row_factory=rows.tuple_row)
    with typed.cursor(row_factory=rows.class_row(Account)) as cur:
        account = cur.fetchone()
        account.balance  # type: ignore[union-attr]
        if account is not None:
            account.balanec  # type: ignore[attr-defined]
            account["balance"]  # type: ignore[index]
        by_name: list[dict[str, object]] = cur.fetchall()  # type: ignore[assignment]
        print(by_name)
    rows.class_row("Account")  # type: ignore[arg-type]


def transactions(conn: connection) -> None:
    def body(conn: connection) -> int:
        return conn.get_backend_pid()

    name: str = kecoa.run_transaction(conn, body)  # type: ignore[assignment]
    kecoa.run_transaction(conn, body, max_atempts=3)  # type: ignore[call-arg]
    print(name)
    kecoa.run_transaction(conn, lambda conn: conn.comit())  # type: ignore[attr-defined]
    kecoa.run_transaction(conn, wrong_body)  # type: ignore[arg-type]
    kecoa.run_transaction("dbname=bank", body)  # type: ignore[arg-type]


def wrong_body(conn: aio.AsyncConnection) -> None:
    print(conn)


@kecoa.transactional
def transfer(conn: connection, source: int, target: int) -> None:
    print(conn, source, target)


def decorated(conn: connection) -> None:
    transfer(conn, 1)  # type: ignore[call-arg]
    transfer(conn, 1, "Budi")  # type: ignore[arg-type]
    transfer(1, 1, 2)  # type: ignore[arg-type]
    transfer(conn, 1, 2, amount=3)  # type: ignore[call-arg]


async def asynchronous(conn: aio.AsyncConnection) -> None:
    await conn.comit()  # type: ignore[attr-defined]
    cur = await conn.execute("SELECT 1")
    cur.fetchone()[0]  # type: ignore[index]
    await aio.connect("dbname=bank", row_factory=Account)  # type: ignore[arg-type]

    async def body(conn: aio.AsyncConnection, amount: int) -> int:
        await conn.execute("SELECT %s", (amount,))
        return amount

    await aio.run_transaction(conn, body)  # type: ignore[arg-type]
    await aio.run_transaction(conn, body, "100")  # type: ignore[arg-type]
    await aio.run_transaction(conn, lambda conn: conn.comit())  # type: ignore[attr-defined]
