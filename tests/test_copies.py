"""What can be copied and pickled, and what says why not."""

from __future__ import annotations

import asyncio
import copy
import pickle

import pytest

import kecoa

WAYS = [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "policy", [kecoa.RetryPolicy(), kecoa.RetryPolicy(3, 0.25, 1.5, 2.0, None, jitter=False)]
)
def test_policies(way, policy):
    made = way(policy)
    assert (made, repr(made)) == (policy, repr(policy))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [lambda: kecoa.pool.Pool(open=False), kecoa.aio.AsyncConnectionPool])
def test_pools(way, make):
    with pytest.raises(TypeError, match="a pool belongs to its process"):
        way(make())


@pytest.mark.parametrize("way", WAYS)
def test_connections_and_cursors(way, dsn):
    async def run():
        async with await kecoa.aio.connect(dsn) as conn:
            for value in (conn, conn.cursor(), conn.cursor("named")):
                with pytest.raises(TypeError, match="copy or pickle"):
                    way(value)
            await conn.execute("SELECT 1")

    asyncio.run(run())
    conn = kecoa.connect(dsn)
    for value in (conn, conn.cursor()):
        with pytest.raises(TypeError, match="pickle"):
            way(value)
    conn.close()
