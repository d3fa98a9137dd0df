"""Text as bytes of a connection's encoding, where Python's codecs and the server's do not agree.

The extension does the same for statements and rows.
"""

from __future__ import annotations

from kecoa._kecoa import encodings

__all__ = ["decode", "encode"]

_JAPANESE = ("euc", "shift")


def encode(text: str, encoding: str) -> bytes:
    """Return `text` in the encoding that PostgreSQL calls `encoding`; UnicodeEncodeError as Python raises it.

    Some of Python's Japanese codecs write a yen sign as a backslash and an overline as a tilde.
    """
    codec = encodings[encoding]
    encoded = text.encode(codec)
    if codec.startswith(_JAPANESE):
        for at, char in enumerate(text):
            if char in "\xa5\u203e" and char.encode(codec).isascii():
                raise UnicodeEncodeError(codec, text, at, at + 1, "it would become a backslash or a tilde")
    return encoded


def decode(data: bytes, encoding: str) -> str:
    """Return the text of `data`, which is in the encoding that PostgreSQL calls `encoding`."""
    codec = encodings[encoding]
    text = data.decode(codec)
    return text.replace("\xa5", "\\").replace("\u203e", "~") if codec == "shift_jis_2004" else text
