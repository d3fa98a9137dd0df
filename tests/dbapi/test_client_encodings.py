"""Text by characters, not bytes: encodings whose characters may hold a byte that looks like ASCII.

With `standard_conforming_strings = off` a backslash escapes, and such a byte looks like one. Every place that
quotes or reads is tried: literals, arrays, COPY, ranges, JSON, `kecoa.sql`, server binding, asyncio.
"""

from __future__ import annotations

import asyncio
import io

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kecoa
import kecoa.aio
from kecoa import extensions, extras, sql

#: Characters whose last byte is one of ASCII's that SQL or an array gives a meaning to.
BACKSLASHED = {
    "SJIS": "\u8868\u30bd\u4e88",
    "SHIFT_JIS_2004": "\u8868\u30bd",
    "BIG5": "\u529f\u8a31\u84cb",
    "GBK": "\u4e57\u8a98",
    "GB18030": "\u4e57\u8a98\U0001f697",
    "UHC": "\uac79\ub625",
}
PLAIN = {
    "UTF8": "\u8868",
    "EUC_JP": "\u8868",
    "EUC_KR": "\ud55c",
    "EUC_CN": "\u4e2d",
    "LATIN1": "\xe9",
    "WIN1251": "\u0416",
}


def hidden(name: str) -> str:
    """Characters of an encoding with a byte of ASCII in them that means something elsewhere."""
    codec = extensions.encodings[name]
    found = {}
    for code in [*range(0x3041, 0x3100), *range(0x4E00, 0x9FFF), *range(0xAC00, 0xD7A4)]:
        try:
            last = chr(code).encode(codec)[1:]
        except UnicodeEncodeError:
            continue
        if last in (b"\\", b"|", b"{", b"}", b"[", b"]", b"@", b"~", b"`", b"^"):
            found.setdefault(last, chr(code))
    return "".join(found.values())


@pytest.fixture(params=[*BACKSLASHED, *PLAIN])
def name(request):
    return request.param


@pytest.fixture(params=["on", "off"])
def standard(request):
    return request.param


@pytest.fixture(params=["client", "server"])
def encoded(request, connect, name, standard):
    """A connection in an encoding, with either meaning of a backslash; the worst that the server allows."""
    conn = connect(binding=request.param)
    conn.autocommit = True
    conn.set_client_encoding(name)
    conn.cursor().execute(
        f"SET standard_conforming_strings = {standard}; SET escape_string_warning = off; SET backslash_quote = on"
    )
    return conn


def texts(name: str) -> list[str]:
    some = BACKSLASHED.get(name) or PLAIN[name]
    return [
        text
        for char in {*some, *hidden(name)}
        for text in (
            char,
            char + "n",
            char + "\\",
            char + "\\\\" + char,
            "\\" + char,
            char + "'",
            char + '"',
            char + " {,}" + char,
            char + "' UNION SELECT 42::text --",
        )
    ]


def test_literals(encoded, name):
    cur = encoded.cursor()
    for text in texts(name):
        cur.execute("SELECT %s, length(%s)", (text, text))
        assert cur.fetchall() == [(text, len(text))], text


def test_arrays(encoded, name):
    cur = encoded.cursor()
    some = texts(name)
    for items in ([some], *([text, None, "NULL", text + " x"] for text in some)):
        cur.execute("SELECT %s, %s::text[]", (items, [items]))
        assert cur.fetchone() == (items, [items])


def test_tuples_and_names(encoded, name):
    cur = encoded.cursor()
    some = tuple(texts(name))
    cur.execute("SELECT %s IN %s", (some[-1], some))
    assert cur.fetchone() == (True,)
    cur.execute("SELECT %(a)s || %(b)s", {"a": some[0], "b": some[-1]})
    assert cur.fetchone() == (some[0] + some[-1],)


def test_composed_sql(encoded, name):
    cur = encoded.cursor()
    for text in texts(name):
        query = sql.SQL("SELECT {} AS {}, %s").format(sql.Literal(text), sql.Identifier(text[:20]))
        cur.execute(query, (text,))
        assert cur.fetchall() == [(text, text)]
        assert cur.description[0].name == text[:20]


def test_values_in_batches(encoded, name):
    cur = encoded.cursor()
    some = [(text,) for text in texts(name)]
    cur.execute("CREATE TEMP TABLE words (n serial, word text)")
    extras.execute_values(cur, "INSERT INTO words (word) VALUES %s", some)
    extras.execute_batch(cur, "INSERT INTO words (word) VALUES (%s)", some)
    cur.executemany("INSERT INTO words (word) VALUES (%s)", some)
    cur.execute("SELECT word FROM words ORDER BY n")
    assert cur.fetchall() == some * 3


def test_other_adapters(encoded, name):
    cur = encoded.cursor()
    for text in texts(name):
        cur.execute(
            "SELECT %s::jsonb",
            (extras.Json([text], dumps=lambda v: __import__("json").dumps(v, ensure_ascii=False)),),
        )
        assert cur.fetchone() == ([text],)
        cur.execute("SELECT %s", (kecoa.Binary(text.encode()),))
        assert bytes(cur.fetchone()[0]) == text.encode()


def test_hstore_and_ranges(encoded, name):
    cur = encoded.cursor()
    cur.execute("CREATE EXTENSION IF NOT EXISTS hstore")
    extras.register_hstore(encoded)
    cur.execute(
        'DROP TYPE IF EXISTS wordrange; CREATE TYPE wordrange AS RANGE (subtype = text, collation = "C")'
    )
    caster = extras.register_range("wordrange", "WordRange", encoded)
    for text in texts(name):
        pairs = {text: text + "x", "none": None}
        cur.execute("SELECT %s", (pairs,))
        assert cur.fetchone() == (pairs,)
        value = caster.range(text, text + text, "[]")
        cur.execute("SELECT %s, %s", (value, [value]))
        assert cur.fetchone() == (value, [value])
    cur.execute("DROP TYPE wordrange")


def test_bytes_that_are_no_characters(encoded, name, standard):
    """The quote behind them stays a quote: the server refuses the statement, or reads what was sent."""
    cur = encoded.cursor()
    for data in (b"\x95", b"\x95\\", b"\x81\x30", b"\xff", b"\x8f\xa1", b"\x81\x30\x81", b"\x8d "):
        value = extensions.QuotedString(data + b"' UNION SELECT 'injected' --")
        try:
            cur.execute("SELECT %s", (value,))
            rows = cur.fetchall()
        except (kecoa.DatabaseError, UnicodeDecodeError):
            continue
        assert len(rows) == 1
        assert rows[0][0].endswith("' UNION SELECT 'injected' --")


@pytest.mark.parametrize("name", ["EUC_JP", "SHIFT_JIS_2004"])
def test_what_would_become_a_backslash(connect, name):
    """Python's codecs write a yen sign as the byte of a backslash, which the server takes for one."""
    conn = connect()
    conn.set_client_encoding(name)
    cur = conn.cursor()
    for text in ("\xa5", "a\u203e"):
        with pytest.raises(UnicodeEncodeError, match="another character"):
            cur.execute("SELECT %s", (text,))
    cur.execute("SELECT %s", ("\\~",))
    assert cur.fetchone() == ("\\~",)


@pytest.mark.parametrize("name", BACKSLASHED)
def test_asyncio(dsn, name, standard):
    async def main():
        async with await kecoa.aio.connect(dsn, autocommit=True) as conn:
            await conn.execute(f"SET client_encoding = '{name}'")
            await conn.execute(f"SET standard_conforming_strings = {standard}")
            cur = conn.cursor()
            await cur.execute("CREATE TEMP TABLE words (n serial, word text, words text[])")
            some = texts(name)
            await cur.executemany(
                "INSERT INTO words (word, words) VALUES (%s, %s)", [(text, [text]) for text in some]
            )
            async with cur.copy("COPY words (word, words) FROM STDIN") as copy:
                for text in some:
                    await copy.write_row((text, [text]))
            await cur.execute("SELECT word, words FROM words ORDER BY n")
            assert await cur.fetchall() == [(text, [text]) for text in some] * 2
            for text in some:
                await cur.execute("SELECT %s, %s", (text, [text]))
                assert await cur.fetchone() == (text, [text])

    asyncio.run(main())


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_text(encoded, name, data):
    alphabet = hidden(name) + (BACKSLASHED.get(name) or PLAIN[name]) + "\\'\"{}, \n%$;E"
    text = data.draw(st.text(alphabet=alphabet, max_size=12))
    cur = encoded.cursor()
    cur.execute("SELECT %s::text, %s::text[], %s::text", (text, [text, text], text))
    assert cur.fetchone() == (text, [text, text], text)


def test_names_of_types(encoded, name):
    cur = encoded.cursor()
    word = (BACKSLASHED.get(name) or PLAIN[name])[0]
    cur.execute(f'DROP TYPE IF EXISTS "{word}"; CREATE TYPE "{word}" AS RANGE (subtype = int8)')
    caster = extras.register_range(f'"{word}"', "NumbersOfOurs", encoded)
    cur.execute("SELECT %s", (caster.range(1, 2),))
    assert cur.fetchone() == (caster.range(1, 2),)
    cur.execute(f'DROP TYPE "{word}"')


@pytest.mark.parametrize("name", [*BACKSLASHED, "EUC_JP", "LATIN1"])
def test_text_of_commands(connect, name):
    """What is not encoded with its statement, and may hold the byte of a backslash there, is refused."""
    conn = connect()
    conn.set_client_encoding(name)
    word = (BACKSLASHED.get(name) or PLAIN[name])[0] + "\\"
    if name in BACKSLASHED:
        with pytest.raises(kecoa.NotSupportedError, match="set its client_encoding to UTF8"):
            conn.cursor().copy_from(io.StringIO(""), "pg_class", null=word)
    conn.rollback()
    conn.tpc_begin("plain\\")
    conn.cursor().execute("SELECT 1")
    conn.tpc_rollback()
