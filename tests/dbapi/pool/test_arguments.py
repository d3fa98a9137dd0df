"""What a pool is made with is checked when it is made, in each of them, with an open one and without."""

from __future__ import annotations

import functools

import pytest

import kecoa
from kecoa import pool
from kecoa.aio import AsyncConnectionPool

WRONG = {
    "a hook that is no function": ({"configure": 3}, TypeError, "expected configure as a function"),
    "a check that is none": ({"check": "SELECT 1"}, TypeError, "expected check as a function"),
    "a reset that is none": ({"reset": True}, TypeError, "expected reset as a function"),
    "no string": ({"dsn": 3}, TypeError, "expected dsn as a string, found int"),
    "no name": ({"name": None}, TypeError, "expected name as a string, found NoneType"),
    "no dict": ({"kwargs": "host=x"}, TypeError, "expected kwargs as a dict"),
    "no keywords": ({"kwargs": {1: 2}}, TypeError, "expected kwargs as a dict"),
    "a cursor factory": (
        {"kwargs": {"cursor_factory": 3}},
        TypeError,
        "expected cursor_factory as a function",
    ),
    "a row factory": ({"kwargs": {"row_factory": 3}}, TypeError, "expected row_factory as a function"),
    "a limit": ({"kwargs": {"statement_timeout": "1"}}, TypeError, "expected statement_timeout as a number"),
    "a slip": ({"kwargs": {"conect_timeout": 3}}, kecoa.ProgrammingError, 'did you mean "connect_timeout"'),
    "another scheme": (
        {"dsn": "cockroachdb://root@h/d"},
        kecoa.ProgrammingError,
        "begins with postgresql://",
    ),
    "no connection string": ({"dsn": "bank"}, kecoa.ProgrammingError, 'missing "="'),
    "sizes": ({"min_size": 3, "max_size": 2}, ValueError, "min_size <= max_size"),
    "a size": ({"min_size": 1.5}, TypeError, "expected min_size as an integer"),
    "a time": ({"timeout": "30"}, TypeError, "expected timeout as a number"),
    "a time before now": ({"max_idle": -1}, ValueError, "expected max_idle"),
    "jitter": ({"lifetime_jitter": 2}, ValueError, "expected lifetime_jitter from 0 to 1"),
    "waiters": ({"max_waiting": -1}, ValueError, "expected max_waiting"),
    "frames": ({"leak_frames": None}, TypeError, "expected leak_frames as an integer"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("make", [pool.Pool, functools.partial(pool.Pool, open=False), AsyncConnectionPool])
def test_what_is_wrong_is_said_at_once(make, wrong):
    arguments, kind, text = WRONG[wrong]
    with pytest.raises(kind) as raised:
        make(**arguments)
    assert text in str(raised.value)


async def hook(conn):
    """Is awaited by nobody."""


@pytest.mark.parametrize("name", ["check", "configure", "reset"])
def test_a_hook_that_is_to_be_awaited_belongs_to_the_other_pool(name):
    with pytest.raises(TypeError, match=r"kecoa\.aio\.AsyncConnectionPool"):
        pool.Pool(open=False, **{name: hook})
    AsyncConnectionPool(**{name: hook})


def test_connections_that_are_asynchronous_in_psycopg2s_way():
    with pytest.raises(ValueError, match=r"kecoa\.aio\.AsyncConnectionPool"):
        pool.Pool(kwargs={"async_": True}, open=False)
    pool.Pool(kwargs={"async_": False}, open=False)


def test_the_class_of_connections():
    with pytest.raises(TypeError, match="expected connection_class as a subclass of AsyncConnection"):
        AsyncConnectionPool(connection_class=kecoa.extensions.connection)

    class Own(kecoa.aio.AsyncConnection):
        @classmethod
        async def connect(cls, dsn=None, *, tenant, **kwargs):
            return await super().connect(dsn, **kwargs)

    AsyncConnectionPool(connection_class=Own, kwargs={"tenant": "shop"})


@pytest.mark.parametrize("kind", [pool.SimpleConnectionPool, pool.ThreadedConnectionPool])
@pytest.mark.parametrize(
    ("args", "kwargs", "error"),
    [
        (("bank",), {}, kecoa.ProgrammingError),
        (("", 3), {}, TypeError),
        ((3,), {}, TypeError),
        ((), {"cursor_factory": 3}, TypeError),
        ((), {"conect_timeout": 3}, kecoa.ProgrammingError),
        ((), {"binding": "sever"}, ValueError),
    ],
)
def test_psycopg2s_pools_find_it_without_a_connection_too(kind, args, kwargs, error):
    with pytest.raises(error):
        kind(0, 2, *args, **kwargs)
    kind(0, 2, "host=127.0.0.1", connect_timeout=3)


def test_an_own_way_to_connect_takes_what_it_likes():
    class Own(pool.SimpleConnectionPool):
        def _connect(self, key=None):
            raise NotImplementedError

    Own(0, 2, tenant="shop")


def test_a_hook_that_is_not_awaitable(dsn):
    import asyncio

    async def run():
        async with AsyncConnectionPool(dsn, min_size=1, configure=lambda conn: None, timeout=20) as made:
            async with made.connection():
                pass

    with pytest.raises(TypeError, match=r"configure\(\).*async def"):
        asyncio.run(run())


@pytest.mark.parametrize("make", [functools.partial(pool.Pool, open=False), AsyncConnectionPool])
@pytest.mark.parametrize(
    ("given", "sizes"),
    [
        ({}, (4, 4)),
        ({"max_size": 2}, (2, 2)),
        ({"max_size": 16}, (4, 16)),
        ({"min_size": 6}, (6, 6)),
        ({"min_size": 0, "max_size": 1}, (0, 1)),
    ],
)
def test_sizes_that_are_left_out(make, given, sizes):
    made = make(**given)
    assert (made.min_size, made.max_size) == sizes


def test_a_largest_size_of_none_is_refused():
    with pytest.raises(ValueError, match="max_size > 0"):
        pool.Pool(max_size=0, open=False)
