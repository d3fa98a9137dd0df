"""COPY with files of every sort, both ways."""

from __future__ import annotations

import io

import psycopg2
import pytest

import kecoa

ROWS = [
    (1, "plain", None),
    (2, "tab\there", "back\\slash"),
    (3, "line\nbreak", ""),
    (4, "\u00e9\u0441\u4e2d\U0001f697", "'quote\""),
    (5, None, "\\N"),
]


@pytest.fixture(scope="module", autouse=True)
def table(dsn):
    conn = psycopg2.connect(dsn)
    conn.autocommit = True
    cur = conn.cursor()
    cur.execute("DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int, name text, note text)")
    yield
    cur.execute("DROP TABLE copied")
    conn.close()


def filled(cur):
    cur.executemany("INSERT INTO copied VALUES (%s, %s, %s)", ROWS)


class Drops(io.RawIOBase):
    """Gives one byte a call."""

    def __init__(self, data):
        super().__init__()
        self.data = io.BytesIO(data)

    def read(self, size=-1):
        return self.data.read(1)


class Lines:
    """No file but something with `read`, `readline` and `write`."""

    def __init__(self, data=""):
        self.left = list(data.splitlines(keepends=True))
        self.got = []

    def read(self, size):
        return self.left.pop(0) if self.left else ""

    def readline(self):
        return self.read(0)

    def write(self, data):
        self.got.append(data)


OPTIONS = {
    "default": {},
    "sep": {"sep": "|"},
    "null": {"null": "NULL"},
    "both": {"sep": ",", "null": ""},
    "columns": {"columns": ["id", "note"]},
    "quoted columns": {"columns": ("note", "id")},
    "two letters": {"sep": "||"},
    "no such column": {"columns": ["nope"]},
    "quote": {"sep": "'"},
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("file", [io.StringIO, io.BytesIO, Lines])
def test_out(same, options, file):
    def action(module, conn, cur):
        filled(cur)
        target = file()
        cur.copy_to(target, "copied", **OPTIONS[options])
        return "".join(map(str, target.got)) if file is Lines else target.getvalue()

    same(action)


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("size", [1, 3, 8192])
def test_in(same, options, size):
    def action(module, conn, cur):
        filled(cur)
        between = io.StringIO()
        cur.copy_to(between, "copied", **OPTIONS[options])
        between.seek(0)
        cur.copy_from(between, "copied", size=size, **OPTIONS[options])
        counted = cur.rowcount, cur.statusmessage, cur.query
        cur.execute("SELECT * FROM copied ORDER BY id, name, note")
        return counted, cur.fetchall()

    same(action)


SOURCES = {
    "text": lambda: io.StringIO("1\ta\tb\n2\tc\t\\N\n"),
    "bytes": lambda: io.BytesIO(b"1\ta\tb\n2\tc\t\\N\n"),
    "drops": lambda: Drops(b"1\ta\t\xc3\xa9\n"),
    "lines": lambda: Lines("1\ta\tb\n2\tc\td\n"),
    "empty": io.StringIO,
    "no newline": lambda: io.StringIO("1\ta\tb"),
    "end mark": lambda: io.StringIO("1\ta\tb\n\\.\n"),
    "too few": lambda: io.StringIO("1\ta\n"),
    "too many": lambda: io.StringIO("1\ta\tb\tc\n"),
    "no number": lambda: io.StringIO("x\ta\tb\n"),
    "not UTF-8": lambda: io.BytesIO(b"1\t\xff\tb\n"),
    "surrogate": lambda: io.StringIO("1\t\ud800\tb\n"),
    "large": lambda: io.StringIO("".join(f"{i}\tname {i}\t\\N\n" for i in range(20000))),
}


@pytest.mark.parametrize("source", SOURCES)
def test_sources(same, source):
    def action(module, conn, cur):
        cur.copy_from(SOURCES[source](), "copied")
        counted = cur.rowcount
        cur.execute("SELECT count(*), min(id), max(name), count(note) FROM copied")
        return counted, cur.fetchall()

    same(action)


class Broken:
    def __init__(self, value):
        self.value = value

    def read(self, size):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    readline = read

    def write(self, data):
        raise self.value


@pytest.mark.parametrize("value", [ValueError("own"), KeyError("k"), RuntimeError()], ids=repr)
def test_a_source_that_fails(same, value):
    same(lambda module, conn, cur: cur.copy_from(Broken(value), "copied"))


@pytest.mark.parametrize("value", [3, None], ids=repr)
def test_a_source_of_something_else(same, value):
    """The class and the SQLSTATE are psycopg2's; kecoa's message says what was expected."""

    def action(module, conn, cur):
        try:
            cur.copy_from(Broken(value), "copied")
        except module.Error as raised:
            return [kind.__name__ for kind in type(raised).__mro__], raised.pgcode, conn.status

    same(action)


def test_the_cause_is_attached(parity_connections):
    _, ours = parity_connections
    cause = ValueError("own")
    with ours.cursor() as cur, pytest.raises(kecoa.errors.QueryCanceled) as raised:
        cur.copy_from(Broken(cause), "copied")
    ours.rollback()
    assert raised.value.__cause__ is cause
    assert raised.value.pgcode == "57014"


@pytest.mark.parametrize("value", [ValueError("own"), KeyError("k")], ids=repr)
def test_a_target_that_fails(dsn, value):
    """The exception is the file's own. psycopg2's connection is left inside the COPY, kecoa's goes on."""
    states = []
    for module in (psycopg2, kecoa):
        conn = module.connect(dsn)
        cur = conn.cursor()
        filled(cur)
        with pytest.raises(type(value)) as raised:
            cur.copy_to(Broken(value), "copied")
        assert raised.value is value
        states.append(conn.get_transaction_status())
        conn.close()
    active, in_transaction = 1, 2
    assert states == [active, in_transaction]


STATEMENTS = [
    "COPY copied TO STDOUT",
    "COPY copied TO STDOUT WITH (FORMAT csv, HEADER)",
    "COPY copied TO STDOUT WITH (FORMAT csv, FORCE_QUOTE *)",
    "COPY copied TO STDOUT WITH (FORMAT binary)",
    "COPY (SELECT id FROM copied ORDER BY id LIMIT 2) TO STDOUT (DELIMITER '|')",
    "COPY (SELECT 1/0) TO STDOUT",
    "COPY nothing TO STDOUT",
    "COPY copied FROM STDIN WITH (FORMAT csv)",
    "copy copied (id) from stdin",
    "COPY copied TO '/nonexistent'",
    "SELECT 1",
    "",
    "COPY copied FROM STDIN; SELECT 1",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_copy_expert(same, statement):
    def action(module, conn, cur):
        filled(cur)
        file = io.BytesIO(b"7\n8\n" if "(id)" in statement else b"7,a,b\n")
        start = file.getvalue()
        cur.copy_expert(statement, file)
        return cur.rowcount, cur.query, b"" if file.getvalue() == start else file.getvalue()

    same(action)


@pytest.mark.parametrize("name", ["LATIN1", "EUC_JP", "WIN1251", "UTF8"])
def test_encodings(dsn, same, name):
    def action(module, conn, cur):
        own = module.connect(dsn, client_encoding=name)
        try:
            cur = own.cursor()
            word = {"LATIN1": "\u00e9", "EUC_JP": "\u65e5", "WIN1251": "\u0416"}.get(name, "\U0001f697")
            cur.copy_from(io.StringIO(f"1\t{word}\t\\N\n"), "copied")
            out, raw = io.StringIO(), io.BytesIO()
            cur.copy_to(out, "copied")
            cur.copy_to(raw, "copied")
            return out.getvalue(), raw.getvalue()
        finally:
            own.close()

    same(action)
