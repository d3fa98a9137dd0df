#!/usr/bin/env python3
"""Refuse words of our own making in the documentation, where the field has better ones (docs/*/glossary.md).

usage: check_words.py

Code is not looked at, nor are the glossaries.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$|`[^`\n]*`|\]\([^)\n]*\)|<!--.*?-->", re.MULTILINE | re.DOTALL)

# What is refused, and what to write.
ENGLISH = {
    r"(?:faults?|fail(?:s|ing)?|failures?) on purpose": "fault injection; inject",
    r"seen from outside": "observability",
    r"len(?:d|ds|t|ding)\b(?! itself)": "check out",
    r"doors?": "entry point",
    r"rooms?": "crate, module",
    r"patien(?:ce|t|tly)": "timeout",
    r"troubles?": "error",
    r"circumstances": "context",
    r"(?:taken|take|takes) back": "revoked, undone",
    r"(?:for )?the first hour": "for development and tests",
    r"psycopg2-shaped|in psycopg2.s shape|shape of psycopg2": "psycopg2-compatible",
    r"without a word": "without an error",
    r"who(?:ever)? waits": "waiting callers",
    r"bytes a byte": "bytes of memory per byte of SQL",
    r"there and back": "round trip",
    r"in the place of": "instead of",
    r"told apart": "distinguished",
}
INDONESIAN = {
    r"dilihat dari luar": "observabilitas",
    r"(?:gangguan|kegagalan|kerusakan) yang disengaja|injeksi kesalahan": "fault injection",
    r"galat(?:nya)?": "error",
    r"kesalahan(?:nya)?": "error",
    r"eksepsi(?:nya)?": "exception",
    r"larik(?:nya)?": "array",
    r"pernyataan(?:nya)?": "statement",
    r"penghitung(?:nya)?|pencacah(?:nya)?": "counter",
    r"kursor(?:nya)?": "cursor",
    r"berkas(?:nya)?": "file",
    r"basis data(?:nya)?": "database",
    r"menyambung|tersambung|penyambungan": "membuka koneksi, terhubung",
    r"(?:meminjam|dipinjam)(?:kan)? (?:koneksi|dari pool)": "mengambil (dari pool)",
    r"utas": "thread",
    r"kata sandi(?:nya)?": "password",
    r"peramban(?:nya)?": "browser",
    r"soket(?:nya)?": "socket",
    r"bita": "byte",
    r"kueri": "query",
    r"simpul(?:nya)?": "node",
    r"kluster(?:nya)?": "cluster",
    r"klon": "clone",
    r"kompil(?:er|ator)": "compiler",
    r"otoritas(?:nya)?": "CA",
    r"pengodean": "encoding",
    r"mendaftar (?:semua|opsi|yang|apa)": "menampilkan, memuat daftar",
    r"jeda yang makin panjang": "exponential backoff",
    r"jam pertama": "pengembangan dan pengujian",
    r"tanpa sepatah kata": "tanpa error",
}


def prose(text: str) -> str:
    """Blank what is no prose, and keep the lines where they are."""
    return CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def faults(page: Path, words: dict[str, str]) -> Iterator[str]:
    text = prose(page.read_text("utf-8"))
    for word, better in words.items():
        for found in re.finditer(rf"\b(?:{word})\b".replace(" ", r"\s+"), text, re.IGNORECASE):
            line = text.count("\n", 0, found.start()) + 1
            shown = " ".join(found[0].split())
            yield f'{page.relative_to(ROOT)}:{line}: "{shown}": write "{better}"'


def pages() -> Iterator[tuple[Path, dict[str, str]]]:
    for name, words, language in (("README.md", ENGLISH, "en"), ("README.id.md", INDONESIAN, "id")):
        for page in [ROOT / name, *sorted((ROOT / "docs" / language).rglob("*.md"))]:
            if page.name != "glossary.md":
                yield page, words
    yield ROOT / "docs/README.md", ENGLISH


def main() -> int:
    found = [fault for page, words in pages() for fault in faults(page, words)]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
