#!/usr/bin/env python3
"""Refuse words of our own making where the field has better ones: in pages, in code, in names.

usage: check_words.py

tools/words.toml has the words. In pages, code and glossaries are not looked at. In code, a name counts as the
words that it is made of.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from structure.table import read_toml

ROOT = Path(__file__).resolve().parent.parent
# Code in pages.
CODE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$|`[^`\n]*`|\]\([^)\n]*\)|<!--.*?-->", re.MULTILINE | re.DOTALL)
SOURCES = (".rs", ".py", ".pyi", ".sql", ".sh", ".toml")
# What is not ours to name, or is about the words themselves.
LEFT_OUT = re.compile(r"tools/(words\.toml|check_words\.py|sqlstate\.txt)|.*/sqlstate\.rs|.*/errorcodes\.py")
# Where a name is given: an item of Rust, a class or function of Python.
GIVEN = re.compile(r"\b(?:struct|enum|trait|type|union|fn|mod|class|def)\s+([A-Za-z_]\w*)")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def prose(text: str) -> str:
    """Blank what is no prose, and keep the lines where they are."""
    return CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def spoken(text: str) -> str:
    """Take names apart into their words, and keep the lines where they are."""
    return CAMEL.sub(" ", text).replace("_", " ")


def faults(page: Path, text: str, words: dict[str, str]) -> Iterator[str]:
    any_word = "|".join(f"(?P<w{at}>{word})" for at, word in enumerate(words)).replace(" ", r"\s+")
    better = list(words.values())
    for found in re.finditer(rf"\b(?:{any_word})\b", text, re.IGNORECASE):
        line = text.count("\n", 0, found.start()) + 1
        shown = " ".join(found[0].split())
        yield f'{page.relative_to(ROOT)}:{line}: "{shown}": write "{better[int(str(found.lastgroup)[1:])]}"'


def names(file: Path, text: str, words: dict[str, str], files: dict[str, str]) -> Iterator[str]:
    """Yield the name of a file, and the names that it gives, where they are refused as a whole."""
    given = [(found[1], text.count("\n", 0, found.start()) + 1, words) for found in GIVEN.finditer(text)]
    for name, line, refused in [(file.stem, 1, files), *given]:
        for word, better in refused.items():
            if re.fullmatch(word, name):
                yield f'{file.relative_to(ROOT)}:{line}: "{name}": write "{better}"'


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each page, and the language it is in."""
    for name, language in (("README.md", "english"), ("README.id.md", "indonesian")):
        folder = ROOT / "docs" / ("en" if language == "english" else "id")
        for page in [ROOT / name, *sorted(folder.rglob("*.md"))]:
            if page.name != "glossary.md":
                yield page, language
    yield ROOT / "docs/README.md", "english"


def sources() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if name.endswith(SOURCES) and not LEFT_OUT.fullmatch(name) and (ROOT / name).exists():
            yield ROOT / name


def lists() -> dict[str, Any]:
    return read_toml(Path(__file__).parent / "words.toml")


def main() -> int:
    refused = lists()
    found = [
        fault
        for page, language in pages()
        for fault in faults(page, prose(page.read_text("utf-8")), refused[language])
    ]
    for file in sources():
        text = file.read_text(encoding="utf-8")
        of_file = [
            *faults(file, spoken(text), refused["code"]),
            *names(file, text, refused["names"], refused["files"]),
        ]
        allowed = {
            word
            for path, words in refused["allowed"].items()
            if re.fullmatch(path, str(file.relative_to(ROOT)))
            for word in words
        }
        found += [fault for fault in of_file if fault.split('"')[1] not in allowed]
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
