"""How `kecoa.pool.Pool` checks out when a connection is free and nobody waits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from kecoa import extensions
from kecoa.pool import Pool, PoolTimeout, _pool


@pytest.fixture
def pool(dsn: str) -> Iterator[Pool]:
    with contextlib.closing(Pool(dsn, min_size=1, name="orders", timeout=0)) as made:
        made.wait()
        yield made


def test_an_interrupt_while_looking(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is in doubt then: another one takes its place."""

    def interrupted(conn: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_pool, "is_alive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            pool.getconn()
    with pool.connection(timeout=60) as conn:
        assert not conn.closed
    assert pool.stats()["closed_check"] == 1
    assert pool.stats()["closed_leak"] == 0
    assert pool.stats()["opened"] == 2


def test_one_that_ended_keeps_the_place_in_the_line(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pool, "is_alive", lambda conn: False)
    with pytest.raises(PoolTimeout, match="0 more wait"):
        pool.getconn()
    stats = pool.stats()
    assert stats["checks_failed"] == stats["closed_check"] == stats["waits"] == stats["timeouts"] == 1
    assert stats["checkouts"] == stats["requests_waiting"] == 0


def test_the_place_is_the_line_that_asked(pool: Pool) -> None:
    def careless() -> Any:
        nothing = None
        return pool.getconn(
            nothing,
        )

    conn = careless()
    line = careless.__code__.co_firstlineno + 2
    with pytest.raises(PoolTimeout, match=f"test_checkout.py:{line} in careless"):
        pool.getconn()
    pool.putconn(conn)


def test_a_block_of_a_stack_is_named_by_its_user(pool: Pool) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(pool.connection())
        with pytest.raises(PoolTimeout, match="in test_a_block_of_a_stack_is_named_by_its_user"):
            pool.getconn()


def test_blocks_one_after_the_other_but_not_within_each_other(pool: Pool) -> None:
    block = pool.connection()
    with block as conn, pytest.raises(RuntimeError, match="entered already"):
        block.__enter__()
    with block as again:
        assert again is conn
    assert pool.stats()["pool_available"] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("autocommit", True), ("isolation_level", 3), ("readonly", True), ("deferrable", True)],
)
def test_each_setting_is_set_back(pool: Pool, name: str, value: Any) -> None:
    with pool.connection() as conn:
        before = getattr(conn, name)
        setattr(conn, name, value)
    assert getattr(conn, name) == before != value
    with pool.connection() as again:
        assert again is conn
        assert conn.get_transaction_status() == extensions.TRANSACTION_STATUS_IDLE
