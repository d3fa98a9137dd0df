"""Large objects: the same calls have the same outcome with both drivers."""

from __future__ import annotations

import re

import pytest

from tests.parity.harness import MODULES, error, typed

SNOWMAN = "snow \N{SNOWMAN} man"


@pytest.fixture
def both(dsn, tmp_path):
    """Asserts that a script has the same outcome with both drivers; oids and addresses are masked.

    A script is given the module, a connection of its own, and `attempt`, which calls a function and keeps what
    it returned or raised.
    """

    def compare(script, **kwargs):
        outcomes = []
        for module in MODULES:
            conn = module.connect(dsn, **kwargs)
            seen = []

            def attempt(function, *args, seen=seen):
                try:
                    value = typed(function(*args))
                except Exception as raised:
                    value = ("raised", error(raised))
                seen.append(re.sub(r"\b\d{5,}\b|0x[0-9a-f]+", "N", repr(value)))

            try:
                script(module, conn, attempt)
                attempt(lambda conn=conn: (conn.status, conn.closed, conn.get_transaction_status()))
            finally:
                conn.close()
            outcomes.append(seen)
        theirs, ours = outcomes
        assert ours == theirs

    return compare


def unused_oid(conn):
    lo = conn.lobject()
    lo.unlink()
    return lo.oid


MODES = [
    "",
    None,
    "r",
    "w",
    "rw",
    "n",
    "t",
    "b",
    "rb",
    "rt",
    "wb",
    "wt",
    "rwb",
    "rwt",
    "nb",
    "x",
    "rbt",
    "wr",
    "R",
    "r\0",
]


@pytest.mark.parametrize("mode", MODES)
def test_modes(both, mode):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write(SNOWMAN)
        lo.close()

        kept = []  # psycopg2 loses the error of a call on an object that goes away with it

        def use():
            kept.append(conn.lobject(lo.oid, mode))
            return kept[-1]

        attempt(lambda: (use().mode, use().closed))
        attempt(lambda: use().read())
        attempt(lambda: use().read(3))
        attempt(lambda: use().write(b"new"))
        attempt(lambda: conn.lobject(0, mode).mode)

    both(script)


@pytest.mark.parametrize("whence", [0, 1, 2, 3, -1])
@pytest.mark.parametrize("offset", [0, 3, -2, 100, 2**31, 2**40, 2**43])
def test_seeking(both, whence, offset):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write(b"some data")
        lo.seek(4)
        attempt(lo.seek, offset, whence)
        attempt(lo.tell)
        conn.rollback()

    both(script)


@pytest.mark.parametrize(
    "data", [b"", "", b"bytes \0\xff", SNOWMAN, None, 1, bytearray(b"x"), memoryview(b"x")]
)
@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1"])
def test_writing(both, data, encoding):
    def script(module, conn, attempt):
        conn.set_client_encoding(encoding)
        lo = conn.lobject(0, "wb")
        attempt(lo.write, data)
        attempt(lo.tell)
        lo.seek(0)
        attempt(lo.read)
        attempt(lambda: conn.lobject(lo.oid, "rt").read())

    both(script)


@pytest.mark.parametrize("length", [0, 4, 20, 2**31 + 5, -1, 2**43])
def test_truncating(both, length):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write("some data")
        attempt(lo.truncate, length)
        attempt(lo.tell)
        attempt(lo.seek, 0, 2)

    both(script)


def test_truncating_what_is_open_for_reading(both):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write("some data")
        readable = conn.lobject(lo.oid)
        attempt(readable.truncate, 1)

    both(script)


@pytest.mark.parametrize("size", [0, 1, 4, 9, 100, -1, -5, 2**20])
def test_reading(both, size):
    def script(module, conn, attempt):
        lo = conn.lobject(0, "wb")
        lo.write(b"some data")
        lo.seek(2)
        attempt(lo.read, size)
        attempt(lo.tell)

    both(script)


@pytest.mark.parametrize("length", [2**22 - 1, 2**22, 2**22 + 1, 9 * 2**20])
def test_objects_of_many_messages(both, length, tmp_path):
    def script(module, conn, attempt):
        data = bytes(range(251)) * (length // 251 + 1)
        data = data[:length]
        lo = conn.lobject(0, "wb")
        attempt(lo.write, data)
        lo.seek(0)
        attempt(lambda: lo.read() == data)
        lo.seek(5)
        attempt(lambda: lo.read(length - 10) == data[5:-5])
        path = tmp_path / module.__name__
        attempt(lo.export, str(path))
        attempt(lambda: path.read_bytes() == data)
        copy = conn.lobject(0, "rb", 0, str(path))
        attempt(lambda: copy.read() == data)

    both(script)


METHODS = {
    "read": lambda lo, path: lo.read(),
    "write": lambda lo, path: lo.write(b"x"),
    "seek": lambda lo, path: lo.seek(0),
    "tell": lambda lo, path: lo.tell(),
    "truncate": lambda lo, path: lo.truncate(),
    "close": lambda lo, path: lo.close(),
    "export": lambda lo, path: lo.export(path),
    "unlink": lambda lo, path: lo.unlink(),
    "closed": lambda lo, path: lo.closed,
    "repr": lambda lo, path: repr(lo),
}


@pytest.mark.parametrize(
    "after", ["nothing", "close", "commit", "rollback", "autocommit", "unlink", "mode n", "failure"]
)
@pytest.mark.parametrize("method", METHODS)
def test_what_can_be_called_when(both, after, method, tmp_path):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write(b"data")
        if after == "close":
            lo.close()
        elif after == "commit":
            conn.commit()
        elif after == "rollback":
            conn.rollback()
        elif after == "autocommit":
            conn.commit()
            conn.autocommit = True
        elif after == "unlink":
            lo.unlink()
        elif after == "mode n":
            lo.close()
            lo = conn.lobject(lo.oid, "n")
        elif after == "failure":
            with pytest.raises(module.Error):
                conn.cursor().execute("SELECT 1 / 0")
        attempt(METHODS[method], lo, str(tmp_path / "file"))
        attempt(lambda: lo.closed)

    both(script)


def test_objects_that_are_not_there(both):
    def script(module, conn, attempt):
        oid = unused_oid(conn)
        attempt(conn.lobject, oid)
        conn.rollback()
        attempt(conn.lobject, 0xFFFFFFFE)
        conn.rollback()
        gone = conn.lobject(oid, "n")
        attempt(gone.unlink)
        conn.rollback()
        attempt(gone.export, "/dev/null")

    both(script)


def test_oids_of_ones_own(both):
    def script(module, conn, attempt):
        oid = unused_oid(conn)
        attempt(lambda: conn.lobject(0, "w", oid).oid == oid)
        attempt(conn.lobject, 0, "w", oid)

    both(script)


def test_files_that_are_not_there(both, tmp_path):
    def script(module, conn, attempt):
        attempt(conn.lobject, 0, "r", 0, str(tmp_path / "none"))
        conn.rollback()
        lo = conn.lobject()
        attempt(lo.export, str(tmp_path / "no" / "folder"))

    both(script)


@pytest.mark.parametrize(
    "args",
    [("x",), (None,), (0, 1), (0, "", "x"), (0, "", 0, 1), (1.5,), (0, "", 0, "a\0b"), (-1,)],
)
def test_wrong_arguments(both, args):
    both(lambda module, conn, attempt: attempt(conn.lobject, *args))


def test_connections_without_transactions(both):
    def script(module, conn, attempt):
        conn.autocommit = True
        attempt(conn.lobject)
        attempt(lambda: module.extensions.lobject(conn).mode)
        conn.close()
        attempt(conn.lobject)

    both(script)


def test_factories(both):
    def script(module, conn, attempt):
        given = []

        class Own(module.extensions.lobject):
            def __init__(self, conn, *args):
                given.append(args)
                super().__init__(conn, *args)

        lo = conn.lobject(lobject_factory=Own)
        attempt(lambda: type(lo) is Own)
        attempt(lambda: conn.lobject(lo.oid, "rb", lobject_factory=Own).mode)
        attempt(lambda: type(conn.lobject(lo.oid, lobject_factory=Own)).__name__)
        attempt(lambda: given)
        attempt(lambda: conn.lobject(lobject_factory=lambda *args: args))
        attempt(module.extensions.lobject, [])
        attempt(module.extensions.lobject)

    both(script)


def test_an_object_that_goes_away_is_closed_on_the_server(both):
    def script(module, conn, attempt):
        lo = conn.lobject()
        oid = lo.oid
        del lo

        def refuse():
            cur = conn.cursor()
            # The first descriptor of the transaction, if it were still open.
            cur.execute("SELECT lo_tell(0)")

        attempt(refuse)
        conn.rollback()
        attempt(lambda: oid > 0)

    both(script)


def test_the_object_is_kept_by_commit(both, dsn):
    def script(module, conn, attempt):
        lo = conn.lobject()
        lo.write("kept")
        conn.commit()
        other = module.connect(dsn)
        kept = other.lobject(lo.oid)
        attempt(kept.read)
        kept.unlink()
        other.commit()
        attempt(conn.lobject, lo.oid)
        other.close()

    both(script)
