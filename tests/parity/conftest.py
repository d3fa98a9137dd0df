"""Connections of both drivers, and the comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.extensions
import psycopg2.extras
import pytest

import kecoa
import kecoa.extensions
import kecoa.extras
from tests.parity.harness import MODULES, describe_connection, error, observe, typed

SETUP = """
DROP TABLE IF EXISTS parity_child, parity;
CREATE TABLE parity (id int PRIMARY KEY, name text UNIQUE, amount numeric(10, 2) CHECK (amount >= 0), note varchar(20));
CREATE TABLE parity_child (parent int REFERENCES parity (id) NOT NULL);
INSERT INTO parity VALUES (1, 'one', 1.00, NULL), (2, 'two', 2.50, 'second'), (3, 'three', 0, '');
"""


@pytest.fixture(scope="session")
def parity_connections(dsn: str) -> Iterator[tuple[Any, Any]]:
    with psycopg2.connect(dsn) as setup, setup.cursor() as cur:
        cur.execute(SETUP)
    setup.close()
    both = psycopg2.connect(dsn), kecoa.connect(dsn)
    yield both
    for conn in both:
        conn.close()


@pytest.fixture
def registrations(parity_connections: tuple[Any, Any]) -> Iterator[None]:
    """Takes back what a test registers on both connections; for all connections, every test does."""
    live = [conn.string_types for conn in parity_connections]
    before = [dict(registry) for registry in live]
    yield
    for registry, entries in zip(live, before, strict=True):
        registry.clear()
        registry.update(entries)


@pytest.fixture
def same(parity_connections: tuple[Any, Any]) -> Callable[[Callable[[Any, Any, Any], Any]], None]:
    """Asserts that an action on kecoa has the outcome that it has on psycopg2."""

    def compare(action: Callable[[Any, Any, Any], Any]) -> None:
        theirs, ours = (
            observe(module, conn, action)
            for module, conn in zip((psycopg2, kecoa), parity_connections, strict=True)
        )
        assert ours.result == theirs.result
        assert ours.state == theirs.state

    return compare


@pytest.fixture
def both(dsn):
    """Asserts that an action on a connection of its own has the same outcome with both drivers."""

    def compare(action, **kwargs):
        outcomes = []
        for module in MODULES:
            conn = module.connect(dsn, **kwargs)
            try:
                try:
                    result = typed(action(module, conn))
                except Exception as raised:
                    result = ("raised", error(raised))
                state = describe_connection(conn)
                if conn.closed == 2:
                    del state["status"]  # of a broken connection it says nothing
                outcomes.append((result, state))
            finally:
                conn.close()
        assert outcomes[1] == outcomes[0]

    return compare
