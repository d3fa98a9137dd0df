"""How COPY FROM reads a file: in pieces of the size asked for, joined before they are sent."""

from __future__ import annotations

import pytest

import kecoa


class Pieces:
    """A file that gives what it is asked for, and counts."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)
        self.sizes = []

    def read(self, size):
        self.sizes.append(size)
        piece = next(self.pieces, "")
        if isinstance(piece, Exception):
            raise piece
        return piece


@pytest.fixture
def cur(conn):
    cursor = conn.cursor()
    cursor.execute("CREATE TEMP TABLE t (a text)")
    return cursor


@pytest.mark.parametrize(
    "pieces",
    [["a\n", "b\n", "é\n"], ["a", "\nb", "\né\n"], [b"a\n", "b\n", "é\n".encode()], ["x" * 70_000, "\n"], []],
    ids=["lines", "cut", "mixed", "long", "empty"],
)
def test_pieces_are_put_together(cur, pieces):
    file = Pieces(pieces)
    cur.copy_expert("COPY t FROM STDIN", file, size=10)
    # Once more than there are pieces: the end is asked for once.
    assert file.sizes == [10] * (len(pieces) + 1)
    cur.execute("SELECT a FROM t")
    whole = "".join(piece if isinstance(piece, str) else piece.decode() for piece in pieces)
    assert [row[0] for row in cur.fetchall()] == whole.splitlines()


def test_an_error_between_pieces(cur):
    file = Pieces(["a\n", OSError("unplugged")])
    with pytest.raises(kecoa.Error, match="unplugged") as caught:
        cur.copy_expert("COPY t FROM STDIN", file)
    assert isinstance(caught.value.__cause__, OSError)
    assert len(file.sizes) == 2
    cur.connection.rollback()


def test_reading_ends_when_the_server_has_refused(cur):
    def endless():
        while True:
            yield "1\t2\n" * 20_000

    with pytest.raises(kecoa.DataError, match="extra data after last expected column"):
        cur.copy_expert("COPY t FROM STDIN", Pieces(endless()))
    cur.connection.rollback()
