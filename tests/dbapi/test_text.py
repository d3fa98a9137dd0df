"""Text in UTF-8: every width of a str, every length around which it is read in another way."""

from __future__ import annotations

import struct
import sys

import pytest

import kecoa
from tests.dbapi.scripted_server import ScriptedServer, complete, message, ready

#: Characters of each width, alone and among ASCII.
MIXTURES = {
    "ascii": "plain ",
    "latin1": "naïve café ",
    "latin1 alone": "éÿ\x80",
    "two bytes": "Ā ж Ω",
    "three bytes": "日本語 €",
    "four bytes": "𝄞 and 🪳",
    "all": "aé日𝄞",
}
LENGTHS = [*range(20), *range(56, 72), 127, 128, 191, 192, 193, 1000, 5000]


def of_length(mixture: str, length: int) -> str:
    return (mixture * length)[:length]


@pytest.mark.parametrize("binding", ["client", "server"])
@pytest.mark.parametrize("name", MIXTURES)
def test_text_comes_back_as_python_would_have_made_it(connect, name, binding):
    conn = connect(binding=binding)
    cur = conn.cursor()
    texts = [of_length(MIXTURES[name][start:] + MIXTURES[name], n) for n in LENGTHS for start in (0, 1, 2)]
    for _ in range(3):
        cur.execute(
            "SELECT t, ARRAY[t, t] FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n", (texts,)
        )
        found = cur.fetchall()
        assert found == [(text, [text, text]) for text in texts]
        # The narrowest form, as of any str: others would take more memory, and be slower to compare.
        for (text, pair), made in zip(found, texts, strict=True):
            expected = sys.getsizeof(made.encode().decode())
            assert [sys.getsizeof(one) for one in (text, *pair)] == [expected] * 3
            assert hash(text) == hash(made)


COLUMN = message(b"T", b"\0\1t\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))

WRONG = {
    "a byte of no character": b"\xff",
    "a character cut short": "日".encode()[:2],
    "a surrogate": b"\xed\xa0\x80",
    "too long a form": b"\xc0\xaf",
    "beyond Unicode": b"\xf4\x90\x80\x80",
}


@pytest.mark.parametrize("length", [0, 1, 63, 64, 300])
@pytest.mark.parametrize("before", ["x", "é"])
@pytest.mark.parametrize("name", WRONG)
def test_bytes_that_are_no_text_raise_what_python_raises(name, before, length):
    data = (before * length).encode() + WRONG[name] + b" and more"
    with pytest.raises(UnicodeDecodeError) as expected:
        data.decode()
    row = message(b"D", struct.pack("!hi", 1, len(data)) + data)
    answer = COLUMN + row + complete("SELECT 1") + ready()
    with ScriptedServer({"SELECT": answer}) as server:
        conn = kecoa.connect(server.dsn)
        conn.autocommit = True
        cur = conn.cursor()
        cur.execute("SELECT t")
        with pytest.raises(UnicodeDecodeError) as raised:
            cur.fetchone()
        assert raised.value.args == expected.value.args
        conn.close()
