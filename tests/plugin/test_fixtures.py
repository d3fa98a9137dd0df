"""The fixtures of `kecoa.pytest`, in sessions of pytest of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

import kecoa
from tests.conftest import Endpoint

pytest_plugins = ["pytester"]

CONFTEST = """
import kecoa, pytest

def create_tables(url):
    conn = kecoa.connect(url)
    with conn, conn.cursor() as cur:
        cur.execute("CREATE TABLE accounts (id INT8 PRIMARY KEY, balance INT8 NOT NULL)")
        cur.execute("INSERT INTO accounts VALUES (1, 1000), (2, 250)")
    conn.close()

@pytest.fixture(scope="session")
def kecoa_prepare():
    return create_tables

def balance(conn):
    cur = conn.cursor()
    cur.execute("SELECT balance FROM accounts WHERE id = 1")
    return cur.fetchone()[0]

@pytest.fixture(name="balance")
def balance_fixture():
    return balance
"""


def as_url(dsn: str) -> str:
    facts = kecoa.extensions.parse_dsn(dsn)
    return f"postgresql://{facts['user']}@/{facts['dbname']}?host={quote(facts['host'], '')}&port={facts['port']}"


@pytest.fixture(params=["postgresql", "endpoint"])
def server(request: pytest.FixtureRequest) -> str:
    """The URL of a server."""
    if request.param == "postgresql":
        return as_url(request.getfixturevalue("dsn"))
    endpoint: Endpoint = request.getfixturevalue("endpoint")
    return endpoint.url


@pytest.fixture
def session(pytester: pytest.Pytester, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that runs a file of tests; afterwards no database of theirs is left."""
    monkeypatch.setenv("DATABASE_URL", server)
    before = databases(server)
    pytester.makeconftest(CONFTEST)

    def run(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess("-p", "no:asyncio", *arguments)

    yield run
    assert databases(server) == before


def databases(server: str) -> set[str]:
    conn = kecoa.connect(server)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE 'kecoa_test%'")
    names = {name for (name,) in cur}
    conn.close()
    return names


def test_a_database_a_test(session: Any) -> None:
    done = session("""
        import kecoa, pytest

        @pytest.mark.parametrize("time", [1, 2, 3])
        def test_alone(kecoa_database, balance, time):
            conn = kecoa.connect(kecoa_database)
            assert balance(conn) == 1000
            conn.cursor().execute("UPDATE accounts SET balance = 0")
            conn.commit()
            conn.close()

        def test_what_a_test_forgets_to_close(kecoa_database, balance):
            conn = kecoa.connect(kecoa_database)
            assert balance(conn) == 1000
            global left
            left = conn
    """)
    done.assert_outcomes(passed=4)


def test_a_transaction_a_test(session: Any) -> None:
    done = session("""
        import kecoa, pytest

        @pytest.mark.parametrize("end", ["commit", "rollback", "none", "with"])
        def test_it(kecoa_conn, balance, end):
            assert balance(kecoa_conn) == 1000
            cur = kecoa_conn.cursor()
            if end == "with":
                with kecoa_conn:
                    cur.execute("UPDATE accounts SET balance = 5 WHERE id = 1")
            else:
                cur.execute("UPDATE accounts SET balance = 5 WHERE id = 1")
                getattr(kecoa_conn, end, lambda: None)()
            assert balance(kecoa_conn) == (1000 if end == "rollback" else 5)
            # What was committed stays, whatever is rolled back behind it.
            if end in ("commit", "with"):
                cur.execute("DELETE FROM accounts")
                kecoa_conn.rollback()
                assert balance(kecoa_conn) == 5

        def test_after_an_error(kecoa_conn, balance):
            with pytest.raises(kecoa.errors.UndefinedTable):
                kecoa_conn.cursor().execute("SELECT * FROM missing")
            with pytest.raises(kecoa.errors.InFailedSqlTransaction):
                balance(kecoa_conn)
            kecoa_conn.rollback()
            assert balance(kecoa_conn) == 1000

        def test_closed(kecoa_conn):
            kecoa_conn.close()

        def test_changed(kecoa_conn, balance):
            assert balance(kecoa_conn) == 1000
            kecoa_conn.cursor_factory = kecoa.extras.DictCursor
            kecoa_conn.binding = "server"

        def test_as_new(kecoa_conn):
            assert kecoa_conn.cursor_factory is None
            assert kecoa_conn.binding == "client"

        def test_one_that_fails_leaves_nothing(kecoa_conn):
            kecoa_conn.cursor().execute("DELETE FROM accounts")
            assert False

        def test_behind_it(kecoa_conn, balance):
            assert balance(kecoa_conn) == 1000
    """)
    done.assert_outcomes(passed=9, failed=1)


def test_retrying_needs_a_database(session: Any) -> None:
    done = session("""
        import kecoa

        def test_it(kecoa_conn, balance):
            kecoa.run_transaction(kecoa_conn, balance)
    """)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*expected a connection outside a transaction*"])


def test_asyncio(session: Any) -> None:
    done = session("""
        import asyncio, kecoa, pytest

        async def balance(conn):
            cur = await conn.execute("SELECT balance FROM accounts WHERE id = 1")
            return (await cur.fetchone())[0]

        @pytest.mark.parametrize("end", ["commit", "rollback", "none", "block"])
        def test_it(kecoa_async_conn, end):
            async def main():
                async with kecoa_async_conn() as conn:
                    assert await balance(conn) == 1000
                    if end == "block":
                        async with conn.transaction():
                            await conn.execute("UPDATE accounts SET balance = 5 WHERE id = 1")
                    else:
                        await conn.execute("UPDATE accounts SET balance = 5 WHERE id = 1")
                    if end in ("commit", "rollback"):
                        await getattr(conn, end)()
                    assert await balance(conn) == (1000 if end == "rollback" else 5)
                    with pytest.raises(kecoa.errors.UndefinedTable):
                        await conn.execute("SELECT * FROM missing")
                    await conn.commit()
                    await balance(conn)

            asyncio.run(main())

        def test_options(kecoa_async_conn):
            async def main():
                async with kecoa_async_conn(row_factory=kecoa.aio.scalar_row) as conn:
                    cur = await conn.execute("SELECT balance FROM accounts WHERE id = 1")
                    assert await cur.fetchone() == 1000

            asyncio.run(main())
    """)
    done.assert_outcomes(passed=5)


def test_sqlalchemy(session: Any) -> None:
    done = session("""
        import pytest
        import sqlalchemy as sa
        from sqlalchemy.orm import Session

        BALANCE = sa.text("SELECT balance FROM accounts WHERE id = 1")

        @pytest.mark.parametrize("time", [1, 2])
        def test_core(kecoa_engine_conn, time):
            assert kecoa_engine_conn.scalar(BALANCE) == 1000
            kecoa_engine_conn.execute(sa.text("DELETE FROM accounts"))

        @pytest.mark.parametrize("time", [1, 2])
        def test_orm(kecoa_engine_conn, time):
            with Session(kecoa_engine_conn, join_transaction_mode="create_savepoint") as session:
                assert session.scalar(BALANCE) == 1000
                session.execute(sa.text("UPDATE accounts SET balance = 5"))
                session.commit()
            assert kecoa_engine_conn.scalar(BALANCE) == 5
    """)
    done.assert_outcomes(passed=4)


def test_a_template_that_stays_in_use(session: Any) -> None:
    done = session("""
        import kecoa, pytest

        @pytest.fixture(scope="session")
        def kecoa_prepare():
            opened = []
            yield lambda url: opened.append(kecoa.connect(url))
            opened[0].close()

        def test_it(kecoa_database):
            raise AssertionError("not reached")
    """)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["*expected nobody to be connected to the template*close what kecoa_prepare opens*"]
    )


def test_what_prepare_raises_is_seen(session: Any) -> None:
    done = session("""
        import pytest

        @pytest.fixture(scope="session")
        def kecoa_prepare():
            def prepare(url):
                raise RuntimeError("no tables today")
            return prepare

        def test_it(kecoa_database):
            pass
    """)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*RuntimeError: no tables today"])


def test_only_a_url_names_a_server(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    pytester.makepyfile("def test_it(kecoa_server): pass")
    done = pytester.runpytest_inprocess("-p", "no:asyncio", "--kecoa-url", "host=localhost password=secret")
    assert done.ret != 0
    text = done.stdout.str() + done.stderr.str()
    assert "expected a URL" in text
    assert "secret" not in text.replace("--kecoa-url host=localhost password=secret", "")


def test_the_plugin_is_found_by_itself(pytester: pytest.Pytester) -> None:
    done = pytester.runpytest_inprocess("--fixtures", "-p", "no:asyncio")
    done.stdout.fnmatch_lines_random(["kecoa_database*", "kecoa_conn*"])
