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


#: How rows are taken that came before the encoding changed.
WAYS_TO_FETCH = {
    "fetchall": lambda cur: cur.fetchall(),
    "fetchone": lambda cur: [cur.fetchone() for _ in range(20)],
    "fetchmany": lambda cur: cur.fetchmany(7) + cur.fetchmany(100),
    "iteration": list,
    "scroll": lambda cur: [cur.scroll(0, "absolute"), *cur.fetchall()][1:],
}
ROWS = "SELECT '\u8868' || n AS \"\u8868\", ARRAY['\u8868'] FROM generate_series(1, 20) n"
EXPECTED = [(f"\u8868{n}", ["\u8868"]) for n in range(1, 21)]


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("way", WAYS_TO_FETCH)
@pytest.mark.parametrize("factory", [extensions.cursor, extras.RealDictCursor, "some"])
def test_rows_are_read_in_the_encoding_in_which_they_came(connect, binding, way, factory):
    conn = connect(binding=binding)
    other = conn.cursor()
    for before, after in [("UTF8", "SJIS"), ("SJIS", "EUC_JP"), ("EUC_JP", "UTF8")] * 2:
        other.execute(f"SET client_encoding TO '{before}'")
        cur = conn.cursor(cursor_factory=None if factory == "some" else factory)
        cur.execute(ROWS)
        # Others are made ahead.
        taken = [cur.fetchone() for _ in range(3)] if factory == "some" else []
        other.execute(f"SET client_encoding TO '{after}'")
        assert cur.description[0].name == "\u8868"
        rest = WAYS_TO_FETCH[way](cur)
        found = taken + rest if way != "scroll" else rest
        if factory is extras.RealDictCursor:
            found = [tuple(row.values()) for row in found]
        assert [row for row in found if row] == EXPECTED
        cur.close()


@pytest.mark.parametrize("binding", ["client", "server"])
def test_rows_of_a_named_cursor_are_read_in_the_encoding_in_which_they_came(connect, binding):
    conn = connect(binding=binding)
    other = conn.cursor()
    for before, after in [("UTF8", "SJIS"), ("SJIS", "EUC_JP"), ("EUC_JP", "UTF8")] * 2:
        other.execute(f"SET client_encoding TO '{before}'")
        cur = conn.cursor("c")
        cur.itersize = 7
        cur.execute(ROWS)
        rows = iter(cur)
        # The six behind it have come, too; the others come in the new encoding.
        found = [next(rows)]
        other.execute(f"SET client_encoding TO '{after}'")
        assert cur.description[0].name == "\u8868"
        assert found + list(rows) == EXPECTED
        cur.close()


def test_rows_of_statements_that_travel_together(connect):
    conn = connect()
    with conn.pipeline() as pipe:
        first = pipe.execute("SET client_encoding TO 'SJIS'")
        shift = pipe.execute("SELECT chr(34920) AS a, chr(34920)")
        pipe.execute("SET client_encoding TO 'EUC_JP'")
        extended = pipe.execute("SELECT chr(34920) AS a, chr(34920)")
        both = pipe.execute("SET client_encoding TO 'UTF8'; SELECT chr(34920), chr(34920)")
    assert first.description is None
    assert shift.fetchall() == extended.fetchall() == both.fetchall() == [("\u8868", "\u8868")]


def test_a_function_changes_the_encoding_of_its_own_row(connect):
    conn = connect()
    cur = conn.cursor()
    for name in ("SJIS", "UTF8"):
        cur.execute("SELECT set_config('client_encoding', %s, false), chr(34920)", (name,))
        assert cur.fetchone() == (name, "\u8868")


@pytest.mark.parametrize("times", [1, 4])
def test_asyncio_reads_rows_in_the_encoding_in_which_they_came(dsn, times):
    async def run():
        conn = await kecoa.aio.connect(dsn, autocommit=True)
        for name in ["SJIS", "UTF8", "EUC_JP"] * 2:
            for _ in range(times):
                cur = await conn.execute(
                    "SELECT chr(34920) || n, %s FROM generate_series(1, 20) n", ("\u8868",)
                )
            one = await cur.fetchone()
            await conn.execute(f"SET client_encoding TO '{name}'")
            assert [one, *await cur.fetchall()] == [(f"\u8868{n}", "\u8868") for n in range(1, 21)]
            async with conn.pipeline():
                before = await conn.execute("SELECT chr(34920)")
                await conn.execute("SET client_encoding TO 'GB18030'")
                behind = await conn.execute("SELECT chr(34920)")
            assert await before.fetchall() == await behind.fetchall() == [("\u8868",)]
        await conn.close()

    asyncio.run(run())


def test_an_arrow_table_of_rows_that_came_in_utf8(connect):
    arrow = pytest.importorskip("pyarrow")
    conn = connect()
    cur = conn.cursor()
    cur.execute("SELECT chr(34920)")
    conn.cursor().execute("SET client_encoding TO 'SJIS'")
    assert arrow.table(cur.fetch_arrow()).to_pydict() == {"chr": ["\u8868"]}
    cur.execute("SELECT chr(34920)")
    conn.cursor().execute("SET client_encoding TO 'UTF8'")
    with pytest.raises(kecoa.NotSupportedError, match="UTF-8"):
        cur.fetch_arrow()
    assert cur.fetchall() == [("\u8868",)]
