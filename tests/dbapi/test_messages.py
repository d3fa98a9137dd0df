"""What the server says without being asked: nothing of it is lost, and no statement fails for it."""

from __future__ import annotations

import sys
import threading

import pytest

import kecoa
from tests.dbapi.scripted_server import ScriptedServer, complete, message, ready

NOTIFIED = message(b"A", b"\0\0\0\7news\0one\0")
NOTICE = message(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mhear\0\0")


class Refuses:
    """Takes nothing until it may."""

    def __init__(self, error=None):
        self.error = error or ValueError("not now")
        self.taken = []

    def append(self, value):
        if self.error is not None:
            raise self.error
        self.taken.append(value)


@pytest.fixture
def unraisable(monkeypatch):
    """What was raised where no caller could get it."""
    seen = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    return seen


def test_a_list_that_refuses_a_notification_is_offered_it_again(unraisable):
    with ScriptedServer(
        {"INSERT": NOTIFIED + NOTIFIED.replace(b"one", b"two") + complete("INSERT 0 1") + ready()}
    ) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        conn.notifies = refuses = Refuses()
        cur = conn.cursor()
        cur.execute("INSERT INTO t VALUES (1)")
        assert cur.rowcount == 1
        assert [str(error) for error in unraisable] == ["not now"]
        cur.execute("SELECT 1")
        assert refuses.taken == []
        refuses.error = None
        conn.poll()
        assert [notify.payload for notify in refuses.taken] == ["one", "two"]
        conn.poll()
        assert len(refuses.taken) == 2


def test_a_list_that_refuses_a_notice_fails_no_statement(unraisable):
    with ScriptedServer({"INSERT": NOTICE + complete("INSERT 0 1") + ready()}) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        conn.notices = Refuses()
        cur = conn.cursor()
        cur.execute("INSERT INTO t VALUES (1)")
        assert cur.rowcount == 1
        assert len(unraisable) == 1


def test_control_c_in_a_list_is_nobodys_to_keep():
    with ScriptedServer({"INSERT": NOTIFIED + complete("INSERT 0 1") + ready()}) as server:
        conn = kecoa.connect(server.dsn)
        conn.notifies = Refuses(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            conn.cursor().execute("INSERT INTO t VALUES (1)")
        conn.notifies = kept = []
        conn.poll()
        assert len(kept) == 1


def test_bytes_that_are_no_text_are_replaced():
    odd = message(b"A", b"\0\0\0\7news\0caf\xe9\0")
    with ScriptedServer(
        {"SELECT": odd + complete("SELECT 0") + ready()}, {"client_encoding": "SQL_ASCII"}
    ) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        conn.cursor().execute("SELECT 1")
        assert [notify.payload for notify in conn.notifies] == ["caf\ufffd"]


def test_an_encoding_that_python_has_not_is_said_where_text_is_read():
    column = message(b"T", b"\0\1a\0" + bytes(6) + b"\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0")
    row = message(b"D", b"\0\1\0\0\0\2\xa4\xa4")
    changed = message(b"S", b"client_encoding\0EUC_TW\0") + complete("SET") + ready(b"I")
    with ScriptedServer(
        {"SET": changed, "SELECT": column + row + complete("SELECT 1") + ready(b"I")}
    ) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        cur = conn.cursor()
        cur.execute("SET client_encoding TO EUC_TW")
        assert conn.encoding == "EUCTW"
        cur.execute("SELECT a")
        with pytest.raises(LookupError, match="EUCTW, which Python has no codec for"):
            cur.fetchone()
        cur.execute("RESET client_encoding")
        assert conn.closed == 0


def test_of_two_threads_the_later_statement_counts(dsn):
    """The status and the encoding are those of the last statement, whoever comes to the interpreter last."""
    conn = kecoa.connect(dsn)
    conn.autocommit = True
    names = ["UTF8", "LATIN1", "LATIN2", "WIN1252"]
    wrong = []

    def change(number):
        cur = conn.cursor()
        for turn in range(60):
            cur.execute(f"SET client_encoding TO {names[(turn + number) % 4]}")

    for _ in range(5):
        threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cur = conn.cursor()
        reported = conn.get_parameter_status("client_encoding")
        if reported != conn.encoding:
            wrong.append((reported, conn.encoding))
        cur.execute("SELECT 1")
    conn.close()
    assert wrong == []
