"""The code blocks of a page, with the markers in front of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sybil import Document, Region
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

RUNNABLE = frozenset({"python", "console", "sql"})
MARKERS = re.compile(r"(?:^[ \t]*<!--[^\n]*-->[ \t]*\n\s*)*\Z", re.MULTILINE)
MARKER = re.compile(r"<!--\s*(?P<name>file|not run|fresh|exits|varies)(?::\s*(?P<value>[^\n]*?))?\s*-->")
OF_THE_PAGE = re.compile(r"<!--\s*(page|translates):")
COMMENT = re.compile(r"<!--[^\n]*-->")
PAGE_MARKER = re.compile(r"^<!--\s*page:\s*(?P<value>[^\n]*?)\s*-->$", re.MULTILINE)
SERVERS = frozenset({"postgresql", "gateway", "own endpoint"})


class PageError(Exception):
    """A page breaks the rules; says where."""


@dataclass
class Block:
    """One fenced block."""

    language: str
    source: str
    line: int  # of its first line of code
    span: tuple[int, int]  # of its code in the page's text
    markers: dict[str, str] = field(default_factory=dict)
    output: Block | None = None

    @property
    def excuse(self) -> str | None:
        """Why it is not run."""
        return self.markers.get("not run")

    @property
    def file(self) -> str | None:
        """The file that it is."""
        return self.markers.get("file")

    @property
    def runs(self) -> bool:
        """Return True if it is to be run."""
        return self.language in RUNNABLE and self.excuse is None and self.file is None


@dataclass
class Page:
    """A page's blocks, in order, and the server that they want."""

    path: Path
    text: str
    blocks: list[Block]
    server: str


def _markers(document: Document, region: Region, end: int, where: str) -> dict[str, str]:
    """Return the markers between `end`, where the block before ended, and the region."""
    found = MARKERS.search(document.text[end : region.start])
    markers = {}
    for comment in COMMENT.findall(found[0] if found else ""):
        if OF_THE_PAGE.match(comment):
            continue
        marker = MARKER.fullmatch(comment)
        if marker is None:
            raise PageError(f"{where}: {comment} is no marker for a block; docs/README.md lists them")
        markers[marker["name"]] = marker["value"] or ""
    return markers


def _blocks(document: Document, path: Path) -> Iterator[Block]:
    end = 0
    previous: Block | None = None
    regions = sorted(FencedCodeBlockLexer(r"[\w{}+-]*")(document), key=lambda region: region.start)
    for region in regions:
        language, source = region.lexemes["language"], region.lexemes["source"]
        start = region.start + source.offset
        line = document.text.count("\n", 0, start) + 1
        fence_end = document.text.rindex("\n", 0, region.end) + 1
        between = document.text[end : region.start]
        where = f"{path}:{line - 1}"
        if language == "output":
            if previous is None or between.strip():
                raise PageError(f"{where}: the output block does not follow a block that prints")
            previous.output = Block(language, source, line, (start, fence_end))
            previous = None
        else:
            markers = _markers(document, region, end, where)
            previous = Block(language, source, line, (start, fence_end), markers)
            yield previous
        end = region.end


def read(path: Path) -> Page:
    """Read a page."""
    document = Document(path.read_text("utf-8"), str(path))
    servers = {found["value"] for found in PAGE_MARKER.finditer(document.text)}
    if len(servers) > 1 or servers - SERVERS:
        raise PageError(f"{path}: expected one of {sorted(SERVERS)} behind `page:`, found {sorted(servers)}")
    return Page(path, document.text, list(_blocks(document, path)), servers.pop() if servers else "endpoint")
