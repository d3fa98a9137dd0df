"""Client encodings other than UTF-8: literals, results, names, errors, notices."""

from __future__ import annotations

import psycopg2
import psycopg2.extensions
import pytest

import kecoa
from tests.parity.harness import error, typed

WORDS = {
    "UTF8": "\u00e9\u0416\u65e5\U0001f697",
    "LATIN1": "\u00e9\u00ff\u00a3",
    "LATIN2": "\u0159\u017e",
    "LATIN9": "\u20ac\u0153",
    "ISO_8859_5": "\u0416\u044f",
    "WIN1250": "\u017e\u20ac",
    "WIN1251": "\u0416\u044f\u2116",
    "WIN1252": "\u20ac\u201c",
    "WIN1253": "\u03a9\u03b1",
    "KOI8R": "\u0416\u2553",
    "KOI8U": "\u0491",
    "EUC_JP": "\u65e5\u672c\uff71",
    "SJIS": "\u65e5\u8868\u30bd",  # the second byte of some is a backslash
    "SHIFT_JIS_2004": "\u65e5\u8868",
    "EUC_KR": "\ud55c\uad6d",
    "UHC": "\ub625\ud55c",
    "EUC_CN": "\u4e2d\u56fd",
    "GBK": "\u4e2d\u8a98",
    "GB18030": "\u4e2d\U0001f697",
    "BIG5": "\u4e2d\u529f",
    "SQL_ASCII": "plain",
}


# One byte of a character is a backslash: psycopg2 takes it for an escape inside an array.
WITH_BACKSLASHES = {"SJIS", "SHIFT_JIS_2004", "BIG5"}


@pytest.mark.parametrize("name", sorted(WITH_BACKSLASHES))
def test_arrays_whose_bytes_look_like_backslashes(dsn, name):
    """kecoa reads the characters; psycopg2 loses a byte or takes the brace behind it."""
    answers = []
    for module in (psycopg2, kecoa):
        conn = module.connect(dsn)
        conn.set_client_encoding(name)
        cur = conn.cursor()
        try:
            cur.execute("SELECT %s::text[]", ([WORDS[name], "x"],))
            answers.append(cur.fetchone()[0])
        except Exception as raised:
            answers.append(raised)
        conn.close()
    assert answers[1] == [WORDS[name], "x"]
    assert answers[0] != answers[1]


@pytest.fixture(params=WORDS)
def encoded(request, dsn):
    """Compares what a function of `(module, connection, cursor, word)` does in an encoding."""

    def compare(action):
        seen = []
        for module in (psycopg2, kecoa):
            conn = module.connect(dsn)
            try:
                conn.set_client_encoding(request.param)
                result = typed(action(module, conn, conn.cursor(), WORDS[request.param]))
            except Exception as raised:
                result = "raised", error(raised)
            seen.append((result, conn.encoding, [notice.rstrip() for notice in conn.notices]))
            conn.close()
        assert seen[1] == seen[0]

    return compare


def has_backslash(module, conn, word):
    return b"\\" in word.encode(module.extensions.encodings[conn.encoding])


def test_values(encoded):
    def action(module, conn, cur, word):
        items = ["x" if has_backslash(module, conn, word) else word, None, "quoted, word"]
        cur.execute("SELECT %s, %s::text[], length(%s)", (word, items, word))
        row = cur.fetchone()
        cur.execute(f"SELECT '{word}' AS \"{word}\"")
        return row, cur.fetchall(), cur.description[0].name, cur.query

    encoded(action)


def test_adapters(encoded):
    def action(module, conn, cur, word):
        return (
            cur.mogrify("SELECT %s", (word,)),
            cur.mogrify(word + " %s", (word,)),
            cur.mogrify(f"%({word})s", {word: word}),
            module.extensions.quote_ident(word, conn),
        )

    encoded(action)


def test_errors_and_notices(encoded):
    def action(module, conn, cur, word):
        cur.execute(f"DO $$ BEGIN RAISE NOTICE '{word}'; END $$")
        try:
            cur.execute(f'SELECT "{word}"')
        except module.Error as raised:
            return raised

    encoded(action)


def test_notifications(encoded):
    def action(module, conn, cur, word):
        conn.autocommit = True
        cur.execute(f'LISTEN "{word}"')
        cur.execute(f"NOTIFY \"{word}\", '{word}'")
        conn.poll()
        return [(notify.channel, notify.payload) for notify in conn.notifies]

    encoded(action)


def test_what_an_encoding_has_not(encoded):
    """A character that can't be encoded, or that the server can't send."""

    def action(module, conn, cur, word):
        seen = []
        for attempt in (
            lambda: cur.mogrify("%s", ("\U0001f697\u0e01",)),
            lambda: cur.execute("SELECT %s", ("\u0e01",)),
            lambda: cur.execute("SELECT chr(3585)"),
            lambda: cur.fetchall(),
        ):
            try:
                seen.append(attempt())
            except Exception as raised:
                seen.append(raised)
                conn.rollback()
        return seen

    encoded(action)


def test_rows_of_bytes(encoded):
    def action(module, conn, cur, word):
        module.extensions.register_type(module.extensions.BYTES, cur)
        module.extensions.register_type(module.extensions.BYTESARRAY, cur)
        cur.execute("SELECT %s, %s::text[]", (word, ["x" if has_backslash(module, conn, word) else word]))
        return cur.fetchall()

    encoded(action)


def test_rows_that_came_before_the_encoding_changed(dsn):
    def fetched(module):
        conn = module.connect(dsn)
        cur = conn.cursor()
        cur.execute("SELECT chr(233) FROM generate_series(1, 3)")
        conn.set_client_encoding("LATIN1")
        found = cur.fetchall()
        conn.close()
        return found

    assert fetched(psycopg2) == [("\u00c3\u00a9",)] * 3
    assert fetched(kecoa) == [("\u00e9",)] * 3
