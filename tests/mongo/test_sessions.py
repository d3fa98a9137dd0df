"""What the gateway owes sessions: conflicts that fail at once, old results for writes sent twice, an end to everything."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from bson.int64 import Int64
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.gateways import Gateway
from tests.mongo.raw import Connection, session


@pytest.fixture(params=["PostgreSQL", "local"])
def url(request, tmp_path):
    """A gateway's URL, on each kind of database."""
    if request.param == "local":
        endpoint = request.getfixturevalue("endpoint")
        database = endpoint.url
    else:
        database = request.getfixturevalue("database")
    with Gateway(database, tmp_path / "gateway", ["--no-password"]) as gateway:
        yield gateway.url


@pytest.fixture
def client(url):
    """A client of that gateway, with an account."""
    with MongoClient(url) as client:
        client.bank.drop_collection("accounts")
        client.bank.accounts.insert_one({"_id": 1, "balance": 0})
        yield client


def change(amount: int) -> dict:
    return {"update": "accounts", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"balance": amount}}}]}


def in_transaction(lsid: dict, number: int, *, start: bool = False) -> dict:
    fields = {"lsid": lsid, "txnNumber": Int64(number), "autocommit": False}
    return fields | ({"startTransaction": True} if start else {})


def outcome(reply: dict) -> tuple[int, list[str]]:
    """The code of a failure and its labels; 0 and none."""
    return reply.get("code", 0), sorted(reply.get("errorLabels", []))


def commit(connection: Connection, lsid: dict, number: int) -> dict:
    return connection.command({"commitTransaction": 1} | in_transaction(lsid, number), "admin")


@pytest.mark.parametrize("held", ["open", "committed"])
def test_a_write_conflict_in_a_transaction_fails_at_once(client, url, held):
    first, second = session(), session()
    with Connection(url) as one, Connection(url) as two:
        read = {"find": "accounts", "filter": {}}
        assert outcome(two.command(read | in_transaction(second, 1, start=True))) == (0, [])
        assert outcome(one.command(change(1) | in_transaction(first, 1, start=True))) == (0, [])
        if held == "committed":
            assert outcome(commit(one, first, 1)) == (0, [])
        begun = time.monotonic()
        found = two.command(change(10) | in_transaction(second, 1))
        assert time.monotonic() - begun < 2
        assert outcome(found) == (112, ["TransientTransactionError"])
        # The transaction is over.
        assert outcome(two.command(change(10) | in_transaction(second, 1))) == (
            251,
            ["TransientTransactionError"],
        )
        if held == "open":
            assert outcome(commit(one, first, 1)) == (0, [])
        assert outcome(two.command(change(10) | in_transaction(second, 2, start=True))) == (0, [])
        assert outcome(commit(two, second, 2)) == (0, [])
    assert client.bank.accounts.find_one()["balance"] == 11


def test_no_change_is_lost_outside_of_transactions(client):
    def run() -> None:
        for _ in range(25):
            client.bank.accounts.update_one({"_id": 1}, {"$inc": {"balance": 1}})

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.bank.accounts.find_one()["balance"] == 200


REPEATED = {
    "insert": {"insert": "accounts", "documents": [{"_id": 2}, {"_id": 3}]},
    "update": change(5),
    "update that no more meets its filter": {
        "update": "accounts",
        "updates": [{"q": {"balance": 0}, "u": {"$inc": {"balance": 5}}}],
    },
    "upsert": {
        "update": "accounts",
        "updates": [{"q": {"_id": 2, "a": 1}, "u": {"$inc": {"a": 1}}, "upsert": True}],
    },
    "delete": {"delete": "accounts", "deletes": [{"q": {}, "limit": 1}]},
    "findAndModify before": {"findAndModify": "accounts", "query": {}, "update": {"$inc": {"balance": 5}}},
    "findAndModify after": {
        "findAndModify": "accounts",
        "query": {"balance": 0},
        "update": {"$inc": {"balance": 5}},
        "new": True,
    },
    "findAndModify that inserts": {
        "findAndModify": "accounts",
        "query": {"_id": 2, "a": 1},
        "update": {"$inc": {"a": 1}},
        "upsert": True,
    },
    "findAndModify that removes": {"findAndModify": "accounts", "query": {}, "remove": True},
}


def test_a_write_sent_again_to_another_gateway_gives_the_old_result(database, tmp_path):
    with (
        Gateway(database, tmp_path / "one", ["--no-password"]) as one,
        Gateway(database, tmp_path / "two", ["--no-password"]) as two,
        MongoClient(one.url) as client,
        Connection(one.url) as first,
        Connection(two.url) as second,
    ):
        for name, command in REPEATED.items():
            client.bank.accounts.delete_many({})
            client.bank.accounts.insert_one({"_id": 1, "balance": 0})
            command = command | {"lsid": session(), "txnNumber": Int64(1)}
            replies = [first.command(command), second.command(command), first.command(command)]
            left = list(client.bank.accounts.find().sort("_id"))
            plain = [
                {key: reply.get(key) for key in ("n", "nModified", "upserted", "value", "lastErrorObject")}
                for reply in replies
            ]
            assert plain[0] == plain[1] == plain[2], name
            assert all(outcome(reply) == (0, []) for reply in replies), name
            assert {"retriedStmtIds", "retriedStmtId"} & replies[1].keys(), name
            assert not {"retriedStmtIds", "retriedStmtId"} & replies[0].keys(), name
            assert sum(document.get("balance", 0) for document in left) in (0, 5), name


@pytest.mark.parametrize(
    "command", ["killSessions", "killAllSessions", "killAllSessionsByPattern", "endSessions"]
)
def test_transactions_end_with_their_sessions(client, url, command):
    lsid = session()
    with Connection(url) as connection:
        assert outcome(connection.command(change(1) | in_transaction(lsid, 1, start=True))) == (0, [])
        whose = {"killSessions": [lsid], "endSessions": [lsid]}.get(command, [])
        assert outcome(connection.command({command: whose}, "admin")) == (0, [])
        assert outcome(connection.command(change(1) | in_transaction(lsid, 1)))[0] == 251
        assert outcome(commit(connection, lsid, 1)) == (251, ["TransientTransactionError"])
        # Nothing of it holds others up.
        assert outcome(connection.command(change(1))) == (0, [])
    assert client.bank.accounts.find_one()["balance"] == 1


def test_a_transaction_does_not_outlive_its_time(client, url):
    lsid = session()
    with Connection(url) as connection:
        parameter = {"setParameter": 1, "transactionLifetimeLimitSeconds": 1}
        assert outcome(connection.command(parameter, "admin")) == (0, [])
        assert outcome(connection.command(change(1) | in_transaction(lsid, 1, start=True))) == (0, [])
        begun = time.monotonic()
        assert client.bank.accounts.update_one({"_id": 1}, {"$inc": {"balance": 10}}).modified_count == 1
        assert time.monotonic() - begun < 10
        assert outcome(commit(connection, lsid, 1)) == (251, ["TransientTransactionError"])
    assert client.bank.accounts.find_one()["balance"] == 10


def test_hello_is_answered_while_all_connections_to_the_database_are_busy(database, tmp_path):
    with (
        Gateway(database, tmp_path / "gateway", ["--no-password"]) as gateway,
        MongoClient(gateway.url, serverSelectionTimeoutMS=5000) as client,
    ):
        client.bank.accounts.insert_one({"_id": 1})
        peer = psycopg2.connect(database)
        peer.cursor().execute("LOCK TABLE kecoa_mongo.document")
        threads = [threading.Thread(target=client.bank.accounts.find_one) for _ in range(30)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        for command in ({"hello": 1}, {"ping": 1}, {"isMaster": 1}):
            begun = time.monotonic()
            with Connection(gateway.url) as connection:
                assert outcome(connection.command(command, "admin")) == (0, [])
            assert time.monotonic() - begun < 2
        peer.close()
        for thread in threads:
            thread.join()


def test_transactions_beyond_the_bound_are_told_to_come_again(database, tmp_path):
    with (
        Gateway(database, tmp_path / "gateway", ["--no-password"]) as gateway,
        MongoClient(gateway.url) as client,
        Connection(gateway.url) as connection,
    ):
        client.bank.accounts.insert_one({"_id": 1})
        read = {"find": "accounts", "filter": {}}

        def begin(lsid: dict) -> tuple[int, list[str]]:
            with Connection(gateway.url) as own:
                return outcome(own.command(read | in_transaction(lsid, 1, start=True)))

        sessions = [session() for _ in range(100)]
        begun = time.monotonic()
        with ThreadPoolExecutor(len(sessions)) as threads:
            waiting = threads.map(begin, sessions)
            # Others go on.
            assert client.bank.accounts.find_one() == {"_id": 1}
            found = list(waiting)
        assert time.monotonic() - begun < 30
        full = (462, ["RetryableError", "SystemOverloadedError", "TransientTransactionError"])
        assert {code for code, _ in found} == {0, 462}
        assert all(each == full for each in found if each != (0, []))
        open_one = sessions[found.index((0, []))]
        refused = sessions[found.index(full)]
        # One that was refused begins as soon as there is room, with the same number.
        assert outcome(commit(connection, open_one, 1)) == (0, [])
        assert begin(refused) == (0, [])
        assert outcome(commit(connection, refused, 1)) == (0, [])


def test_a_transaction_of_another_gateway_is_not_known(database, tmp_path):
    with (
        Gateway(database, tmp_path / "one", ["--no-password"]) as one,
        Gateway(database, tmp_path / "two", ["--no-password"]) as two,
        Connection(one.url) as first,
        Connection(two.url) as second,
    ):
        lsid = session()
        assert outcome(first.command({"insert": "accounts", "documents": [{"_id": 1, "balance": 0}]})) == (
            0,
            [],
        )
        assert outcome(first.command(change(1) | in_transaction(lsid, 1, start=True))) == (0, [])
        gone = (251, ["TransientTransactionError"])
        assert outcome(second.command(change(1) | in_transaction(lsid, 1))) == gone
        assert outcome(commit(first, lsid, 1)) == (0, [])
        # A commit that is sent again, to whichever gateway, says what became of it.
        assert outcome(commit(second, lsid, 1)) == (0, [])
        assert outcome(commit(second, session(), 1)) == gone


def test_a_failed_transaction_is_no_error_to_a_client(client):
    with client.start_session() as one:
        with one.start_transaction():
            client.bank.accounts.insert_one({"_id": 7}, session=one)
            with pytest.raises(OperationFailure) as error:
                client.bank.accounts.insert_one({"_id": 7}, session=one)
            assert error.value.code == 11000
            one.abort_transaction()
        one.with_transaction(lambda one: client.bank.accounts.insert_one({"_id": 7}, session=one))
    assert client.bank.accounts.count_documents({"_id": 7}) == 1
