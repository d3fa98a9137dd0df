"""How transactions end: what the server says counts, also where the end itself went wrong."""

from __future__ import annotations

import contextlib

import pytest

import kecoa
from kecoa import extensions, extras
from tests.dbapi.scripted_server import Cut, ScriptedServer, complete, error, ready

CANCELLED = error("57014", "canceling statement due to user request")


@pytest.fixture(params=["waiting", "green"])
def green(request):
    """Without and with a wait callback."""
    if request.param == "green":
        extensions.set_wait_callback(extras.wait_select)
    yield request.param == "green"
    extensions.set_wait_callback(None)


@pytest.mark.usefixtures("green")
def test_a_commit_that_left_a_failed_transaction_is_rolled_back():
    with ScriptedServer({"COMMIT": CANCELLED + ready(b"E")}) as server:
        conn = kecoa.connect(server.dsn)
        cur = conn.cursor()
        cur.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(kecoa.errors.QueryCanceled):
            conn.commit()
        assert conn.info.transaction_status == extensions.TRANSACTION_STATUS_INERROR
        assert conn.status == extensions.STATUS_BEGIN
        conn.rollback()
        assert server.seen[-1] == "ROLLBACK"
        assert conn.status == extensions.STATUS_READY
        cur.execute("INSERT INTO t VALUES (2)")
        conn.commit()


@pytest.mark.usefixtures("green")
def test_a_commit_that_failed_and_ended_the_transaction_is_over():
    with ScriptedServer({"COMMIT": error("23505") + ready(b"I")}) as server:
        conn = kecoa.connect(server.dsn)
        conn.cursor().execute("INSERT INTO t VALUES (1)")
        with pytest.raises(kecoa.errors.UniqueViolation):
            conn.commit()
        conn.rollback()
        assert "ROLLBACK" not in server.seen
        assert conn.status == extensions.STATUS_READY


def test_with_connection_leaves_no_failed_transaction_behind():
    with ScriptedServer({"COMMIT": CANCELLED + ready(b"E")}) as server:
        conn = kecoa.connect(server.dsn)
        with pytest.raises(kecoa.errors.QueryCanceled), conn:
            conn.cursor().execute("INSERT INTO t VALUES (1)")
        conn.rollback()
        with conn:
            conn.cursor().execute("INSERT INTO t VALUES (2)")
        assert server.seen[-1] == "COMMIT"


def test_a_rollback_that_failed_is_sent_again():
    with ScriptedServer({"ROLLBACK": CANCELLED + ready(b"E")}) as server:
        conn = kecoa.connect(server.dsn)
        conn.cursor().execute("INSERT INTO t VALUES (1)")
        with pytest.raises(kecoa.errors.QueryCanceled):
            conn.rollback()
        conn.rollback()
        assert server.seen.count("ROLLBACK") == 2


def test_a_two_phase_commit_in_one_phase_that_failed_can_be_rolled_back():
    with ScriptedServer({"COMMIT": CANCELLED + ready(b"E")}) as server:
        conn = kecoa.connect(server.dsn)
        conn.tpc_begin(conn.xid(1, "a", "b"))
        with pytest.raises(kecoa.errors.QueryCanceled):
            conn.tpc_commit()
        conn.tpc_rollback()
        assert server.seen[-1] == "ROLLBACK"
        conn.cursor().execute("INSERT INTO t VALUES (1)")
        conn.commit()


def test_a_two_phase_commit_whose_transaction_is_over_leaves_nothing():
    with ScriptedServer({"COMMIT": error("23505") + ready(b"I")}) as server:
        conn = kecoa.connect(server.dsn)
        conn.tpc_begin(conn.xid(1, "a", "b"))
        with pytest.raises(kecoa.errors.UniqueViolation):
            conn.tpc_commit()
        conn.rollback()
        conn.cursor().execute("INSERT INTO t VALUES (1)")
        conn.commit()


def insert(conn):
    conn.cursor().execute("INSERT INTO t VALUES (1)")


def commit(conn):
    insert(conn)
    conn.commit()


def block(conn):
    with conn:
        insert(conn)


def by_hand(text):
    def run(conn):
        insert(conn)
        conn.cursor().execute(text)

    run.__name__ = text
    return run


def by_hand_bound(conn):
    insert(conn)
    conn.cursor().execute("COMMIT", binding="server")


def one_phase(conn):
    conn.tpc_begin(conn.xid(1, "a", "b"))
    insert(conn)
    conn.tpc_commit()


def two_phases(conn):
    conn.tpc_begin(conn.xid(1, "a", "b"))
    insert(conn)
    conn.tpc_prepare()
    conn.tpc_commit()


def recovered(conn):
    conn.tpc_commit("abc")


def pipelined(conn):
    with conn.pipeline() as pipeline:
        pipeline.execute("INSERT INTO t VALUES (1)")
        pipeline.execute("COMMIT")


def many(conn):
    cur = conn.cursor()
    cur.execute("INSERT INTO t VALUES (0)")
    cur.executemany("INSERT INTO t VALUES (%s)", [(n,) for n in range(1100)])
    conn.commit()


def streamed(conn):
    conn.cursor().execute("INSERT INTO t VALUES (1)")
    for _ in conn.cursor().stream("SELECT 1"):
        pass
    conn.commit()


def autocommit(conn):
    conn.autocommit = True
    conn.cursor().execute("/* COMMIT */ INSERT INTO t VALUES (1)")


def autocommit_many(conn):
    conn.autocommit = True
    conn.cursor().executemany("INSERT INTO t VALUES (%s)", [(n,) for n in range(10)])


ENDS = [
    commit,
    block,
    one_phase,
    two_phases,
    recovered,
    pipelined,
    many,
    streamed,
    by_hand_bound,
    autocommit,
    autocommit_many,
    *map(
        by_hand,
        [
            "commit",
            "/* c */ COMMIT",
            "-- c\nCOMMIT",
            "COMMIT; SELECT 1",
            "SELECT 1; COMMIT",
            "END /* COMMIT */",
            "COMMIT AND CHAIN",
            "RELEASE SAVEPOINT cockroach_restart -- COMMIT",
            "PREPARE TRANSACTION 'a' /* COMMIT */",
        ],
    ),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize(
    "cut",
    [
        Cut(0),
        Cut(1),
        Cut(8),
        Cut(words=error("57P01", "terminating connection", "FATAL")),
        Cut(words=error("XX000", "gone", "PANIC")),
    ],
    ids=["at once", "behind a byte", "behind some bytes", "behind FATAL", "behind PANIC"],
)
def test_a_commit_without_an_answer_is_ambiguous(end, cut):
    with ScriptedServer({"COMMIT": cut}) as server:
        conn = kecoa.connect(server.dsn)
        with pytest.raises(kecoa.AmbiguousCommitError, match="its outcome is unknown") as raised:
            end(conn)
        assert isinstance(raised.value, kecoa.OperationalError)
        assert isinstance(raised.value.__cause__, kecoa.Error)
        assert not isinstance(raised.value.__cause__, kecoa.AmbiguousCommitError)
        assert conn.closed == 2
        if cut.words is not None:
            assert raised.value.pgcode == raised.value.__cause__.pgcode
            assert isinstance(raised.value, type(raised.value.__cause__))


@pytest.mark.parametrize("end", [commit, block, by_hand("commit"), autocommit], ids=lambda end: end.__name__)
def test_with_a_wait_callback_it_is_the_same(end):
    extensions.set_wait_callback(extras.wait_select)
    try:
        with (
            ScriptedServer({"COMMIT": Cut(3)}) as server,
            contextlib.closing(kecoa.connect(server.dsn)) as conn,
        ):
            with pytest.raises(kecoa.AmbiguousCommitError):
                end(conn)
            assert conn.closed == 2
    finally:
        extensions.set_wait_callback(None)


@pytest.mark.parametrize("lost", ["INSERT", "BEGIN", "ROLLBACK"])
def test_what_was_lost_before_a_commit_is_certain(lost):
    with ScriptedServer({lost: Cut(3)}) as server:
        conn = kecoa.connect(server.dsn)
        with pytest.raises(kecoa.OperationalError) as raised:
            insert(conn)
            conn.rollback()
        assert not isinstance(raised.value, kecoa.AmbiguousCommitError)


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("end", [commit, block, by_hand("COMMIT"), two_phases], ids=lambda end: end.__name__)
def test_a_server_that_said_commit_has_committed(end):
    said = "COMMIT PREPARED" if end is two_phases else "COMMIT"
    with ScriptedServer({"COMMIT": Cut(words=complete(said))}) as server:
        conn = kecoa.connect(server.dsn)
        end(conn)
        assert conn.closed == 2
        with pytest.raises(kecoa.InterfaceError):
            conn.cursor()


def test_a_server_that_said_commit_to_an_asynchronous_connection_has_committed():
    with ScriptedServer({"COMMIT": Cut(words=complete("COMMIT"))}) as server:
        conn = kecoa.connect(server.dsn, async_=True)
        extras.wait_select(conn)
        cur = conn.cursor()
        for sql in ("BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"):
            cur.execute(sql)
            extras.wait_select(conn)
        assert conn.closed == 2


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("end", [commit, by_hand("commit")], ids=lambda end: end.__name__)
def test_a_block_does_not_hide_an_unknown_outcome(end):
    """Its rollback fails, because there is no connection any more."""
    with ScriptedServer({"COMMIT": Cut(3)}) as server:
        conn = kecoa.connect(server.dsn)
        with pytest.raises(kecoa.AmbiguousCommitError), conn:
            end(conn)


@pytest.mark.parametrize("sqlstate", ["40003", "08007", "08006", "57P01"])
def test_errors_in_answer_to_a_commit_that_leave_it_open(sqlstate):
    for end in (commit, block, by_hand("commit"), two_phases, recovered):
        with ScriptedServer({"COMMIT": error(sqlstate) + ready(b"I")}) as server:
            conn = kecoa.connect(server.dsn)
            with pytest.raises(kecoa.AmbiguousCommitError) as raised:
                end(conn)
            assert isinstance(raised.value, kecoa.errors.lookup(sqlstate))
            assert raised.value.pgcode == raised.value.diag.sqlstate == sqlstate
            assert conn.closed == 0
