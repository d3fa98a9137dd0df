"""Pools, as psycopg2 has them."""

from __future__ import annotations

import psycopg2
import psycopg2.pool
import pytest

import kecoa
import kecoa.pool
from tests.parity.harness import error


def life(module, dsn, kind):
    """What a pool answers from its first connection to its end."""
    seen = []

    def note(what, *args, **kwargs):
        try:
            seen.append(what(*args, **kwargs))
        except Exception as raised:
            seen.append(error(raised)[0])

    pool = getattr(module.pool, kind)(1, 2, dsn)
    one = pool.getconn()
    two = pool.getconn("key")
    seen.append(pool.getconn("key") is two)
    note(pool.getconn)  # exhausted
    one.cursor().execute("SELECT 1")
    pool.putconn(one)
    seen.append(one.get_transaction_status())  # rolled back
    again = pool.getconn()
    seen.append(again is one)
    pool.putconn(again, close=True)
    seen.append(one.closed)
    note(pool.putconn, one)  # not checked out any more
    pool.putconn(two, "key")
    third = pool.getconn()
    seen.append(third is two)
    third.close()
    pool.putconn(third)
    seen.append(pool.getconn().closed)
    seen.append(pool.closed)
    pool.closeall()
    seen.append(pool.closed)
    note(pool.getconn)
    note(pool.putconn, two)
    note(pool.closeall)
    return seen


@pytest.mark.parametrize("kind", ["SimpleConnectionPool", "ThreadedConnectionPool"])
def test_a_pool(dsn, kind):
    assert life(kecoa, dsn, kind) == life(psycopg2, dsn, kind)


@pytest.mark.parametrize("kind", ["SimpleConnectionPool", "ThreadedConnectionPool"])
def test_a_key_that_is_not_known(dsn, kind):
    for module in (kecoa, psycopg2):
        pool = getattr(module.pool, kind)(1, 2, dsn)
        conn = pool.getconn("key")
        with pytest.raises(KeyError, match="other"):
            pool.putconn(conn, "other")
        pool.closeall()


@pytest.mark.parametrize("kind", ["SimpleConnectionPool", "ThreadedConnectionPool"])
def test_what_comes_back_by_a_wrong_key_stays_with_its_user(dsn, kind):
    theirs = getattr(psycopg2.pool, kind)(1, 2, dsn)
    one, two = theirs.getconn("one"), theirs.getconn("two")
    theirs.putconn(one, "two")
    assert theirs.getconn("one") is one
    assert theirs.getconn("three") is one
    for conn in (one, two):
        conn.close()
    pool = getattr(kecoa.pool, kind)(1, 2, dsn)
    one, two = pool.getconn("one"), pool.getconn("two")
    with pytest.raises(KeyError, match="other"):
        pool.putconn(one, "other")
    with pytest.raises(kecoa.pool.PoolError, match="expected the connection that key 'two' was given"):
        pool.putconn(one, "two")
    assert pool.getconn("one") is one
    assert pool.getconn("two") is two
    pool.putconn(one, "one")
    assert pool.getconn("three") is one
    pool.closeall()
