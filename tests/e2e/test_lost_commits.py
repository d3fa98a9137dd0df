"""A connection that is cut at COMMIT: before it reaches the server, or after it did its work."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

import kecoa
import kecoa.aio
from kecoa import AmbiguousCommitError, run_transaction


class Proxy:
    """Passes bytes between clients and PostgreSQL, and cuts a connection at a word that a client sends.

    `cut` is "before" (the word never arrives) or "after" (it does; its answer is lost). Only the first
    connection that says the word is cut.
    """

    def __init__(self, dsn: str, word: bytes, cut: str) -> None:
        pairs = parse_dsn(dsn)
        self.upstream = f"{pairs['host']}/.s.PGSQL.{pairs['port']}"
        self.word = word
        self.cut = cut
        self.was_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.dsn = (
            f"host=127.0.0.1 port={self.listener.getsockname()[1]} user={pairs['user']}"
            f" dbname={pairs['dbname']} sslmode=disable"
        )
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.upstream)
        silenced = threading.Event()
        answers = threading.Thread(target=self.copy, args=(server, client, silenced), daemon=True)
        answers.start()
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                if self.word in data and not self.was_cut:
                    self.was_cut = True
                    # From here on no answer slips through.
                    silenced.set()
                    if self.cut == "after":
                        server.sendall(data)
                        # PostgreSQL does what it was asked, and then sees the end. The client is cut behind that.
                        server.shutdown(socket.SHUT_WR)
                        answers.join()
                    client.shutdown(socket.SHUT_RDWR)
                    break
                server.sendall(data)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def copy(source: socket.socket, target: socket.socket, silenced: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not silenced.is_set():
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def marks(dsn):
    """An empty table; returns the number of its rows."""
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute(
        "SET lock_timeout = '30s'; DROP TABLE IF EXISTS lost_commits; CREATE TABLE lost_commits (n int)"
    )

    def count():
        # What was cut may still be on its way: LOCK waits for it.
        cur.execute("BEGIN; LOCK TABLE lost_commits; COMMIT")
        cur.execute("SELECT count(*) FROM lost_commits")
        return cur.fetchone()[0]

    yield count
    cur.execute("DROP TABLE lost_commits")
    conn.close()


def mark(conn):
    conn.cursor().execute("INSERT INTO lost_commits VALUES (1)")


DRIVERS = pytest.mark.parametrize("module", [kecoa, psycopg2], ids=["kecoa", "psycopg2"])


@DRIVERS
@pytest.mark.parametrize(("cut", "applied"), [("before", 0), ("after", 1)])
def test_at_commit_the_outcome_is_unknown(dsn, marks, module, cut, applied):
    proxy = Proxy(dsn, b"COMMIT", cut)
    reports = []
    with pytest.raises(AmbiguousCommitError, match="outcome is unknown") as raised:
        run_transaction(lambda: module.connect(proxy.dsn), mark, on_attempt=reports.append)
    assert proxy.was_cut
    assert [report.decision for report in reports] == ["ambiguous"]
    assert isinstance(raised.value.__cause__, (module.OperationalError, module.InterfaceError))
    assert marks() == applied


@DRIVERS
@pytest.mark.parametrize("cut", ["before", "after"])
def test_in_the_body_it_is_certain(dsn, marks, module, cut):
    proxy = Proxy(dsn, b"INSERT INTO lost", cut)
    reports = []
    run_transaction(lambda: module.connect(proxy.dsn), mark, on_attempt=reports.append)
    assert [report.decision for report in reports] == ["reconnect", "committed"]
    assert marks() == 1


def test_a_commit_of_the_bodys_own_that_is_lost_is_unknown_too(dsn, marks):
    proxy = Proxy(dsn, b"COMMIT", "after")

    def commits(conn):
        mark(conn)
        conn.commit()

    with pytest.raises(AmbiguousCommitError):
        run_transaction(lambda: kecoa.connect(proxy.dsn), commits)
    assert marks() == 1


def url_of(proxy):
    pairs = parse_dsn(proxy.dsn)
    return f"postgresql+kecoa://{pairs['user']}@127.0.0.1:{pairs['port']}/{pairs['dbname']}?sslmode=disable"


def blocking(proxy, body):
    def run(conn):
        body(conn.cursor().execute)

    run_transaction(lambda: kecoa.connect(proxy.dsn), run)


def in_asyncio(proxy, body):
    """The body is blocking, so that it is the same for all: its statements are awaited in turn."""

    async def run(conn):
        await greenlet_spawn(body, lambda sql: await_only(conn.execute(sql)))

    from sqlalchemy.util.concurrency import await_only, greenlet_spawn

    asyncio.run(kecoa.aio.run_transaction(lambda: kecoa.aio.connect(proxy.dsn), run))


def on_an_engine(proxy, body):
    import sqlalchemy as sa

    from kecoa.sqlalchemy import run_transaction

    run_transaction(sa.create_engine(url_of(proxy)), lambda conn: body(conn.exec_driver_sql))


def on_an_asynchronous_engine(proxy, body):
    from sqlalchemy.ext.asyncio import create_async_engine

    from kecoa.sqlalchemy import run_transaction

    async def run(conn):
        await conn.run_sync(lambda conn: body(conn.exec_driver_sql))

    async def main():
        await run_transaction(create_async_engine(url_of(proxy)), run)

    asyncio.run(main())


FORMS = [blocking, in_asyncio, on_an_engine, on_an_asynchronous_engine]


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_hides_a_lost_commit_of_its_own_is_not_run_again(dsn, marks, form):
    pytest.importorskip("sqlalchemy")
    proxy = Proxy(dsn, b"COMMIT", "after")
    runs = []

    def body(execute):
        runs.append(execute)
        execute("INSERT INTO lost_commits VALUES (1)")
        with contextlib.suppress(Exception):
            execute("COMMIT")

    with pytest.raises(kecoa.ProgrammingError, match="was lost inside the body"):
        form(proxy, body)
    assert (marks(), len(runs)) == (1, 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_committed_by_itself_and_is_lost_is_not_run_again(dsn, marks, form):
    pytest.importorskip("sqlalchemy")
    proxy = Proxy(dsn, b"SELECT 'last'", "after")
    runs = []

    def body(execute):
        runs.append(execute)
        execute("INSERT INTO lost_commits VALUES (1)")
        execute("COMMIT")
        execute("SELECT 'last'")

    with pytest.raises(Exception, match="lost"):
        form(proxy, body)
    assert (marks(), len(runs)) == (1, 1)


@pytest.mark.parametrize("form", FORMS)
def test_a_body_that_commits_by_hand_is_refused(dsn, marks, form):
    pytest.importorskip("sqlalchemy")
    proxy = Proxy(dsn, b"nothing is cut", "after")

    def body(execute):
        execute("INSERT INTO lost_commits VALUES (1)")
        execute("COMMIT")

    with pytest.raises(kecoa.ProgrammingError, match="by itself"):
        form(proxy, body)
    assert marks() == 1


def test_a_commit_on_a_connection_already_lost_is_certain(dsn, marks, own_server):
    """Nothing was sent: the driver knows, and the transaction is done again."""
    reports = []

    def loses(conn):
        with conn.cursor() as cur:
            cur.execute("CREATE TABLE IF NOT EXISTS lost_here (n int)")
            cur.execute("INSERT INTO lost_here VALUES (1)")
        if not reports:
            own_server.stop()
            own_server.start()

    with contextlib.suppress(AmbiguousCommitError):
        run_transaction(lambda: kecoa.connect(own_server.dsn), loses, on_attempt=reports.append)
    conn = kecoa.connect(own_server.dsn)
    cur = conn.cursor()
    cur.execute("SELECT to_regclass('lost_here')")
    if reports[-1].decision == "committed":
        assert [report.decision for report in reports] == ["reconnect", "committed"]
        assert cur.fetchone() == ("lost_here",)
    else:
        # The kernel took the COMMIT before it said that nobody reads: not to be distinguished.
        assert [report.decision for report in reports] == ["ambiguous"]
        assert cur.fetchone() == (None,)
    conn.close()


def through_begin(sa, url):
    with sa.create_engine(url).begin() as conn:
        conn.execute(sa.text("INSERT INTO lost_commits VALUES (1)"))


def through_session(sa, url):
    from sqlalchemy.orm import Session

    with Session(sa.create_engine(url)) as session:
        session.execute(sa.text("INSERT INTO lost_commits VALUES (1)"))
        session.commit()


def through_autocommit(sa, url):
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(sa.text("INSERT INTO lost_commits VALUES (1) /* COMMIT */"))


def through_asyncio(sa, url):
    from sqlalchemy.ext.asyncio import create_async_engine

    async def main():
        async with create_async_engine(url).begin() as conn:
            await conn.execute(sa.text("INSERT INTO lost_commits VALUES (1)"))

    asyncio.run(main())


@pytest.mark.parametrize("use", [through_begin, through_session, through_autocommit, through_asyncio])
@pytest.mark.parametrize(("cut", "applied"), [("before", 0), ("after", 1)])
def test_sqlalchemy_has_it_as_its_cause_and_drops_the_connection(dsn, marks, use, cut, applied):
    sa = pytest.importorskip("sqlalchemy")
    proxy = Proxy(dsn, b"COMMIT", cut)
    with pytest.raises(sa.exc.OperationalError) as raised:
        use(sa, url_of(proxy))
    assert proxy.was_cut
    assert isinstance(raised.value.orig, AmbiguousCommitError)
    assert raised.value.connection_invalidated
    assert marks() == applied
