#!/usr/bin/env python3
"""Check a built site: links lead somewhere, nothing is loaded from elsewhere, both languages have each page.

usage: check_site.py FOLDER
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself, by element and attribute.
LOADED = {
    ("audio", "src"),
    ("embed", "src"),
    ("iframe", "src"),
    ("image", "href"),
    ("img", "src"),
    ("img", "srcset"),
    ("object", "data"),
    ("script", "src"),
    ("source", "src"),
    ("source", "srcset"),
    ("use", "href"),
    ("video", "src"),
}
LOADING_RELATIONS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
}
IN_STYLES = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")\s]+)""")


class Document(HTMLParser):
    """The links, the assets and the anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.assets: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag names."""
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        for name, value in values.items():
            if (tag, name) in LOADED:
                self.assets.add(value)
        if tag == "link" and "href" in values:
            loads = LOADING_RELATIONS & set(values.get("rel", "").split())
            (self.assets if loads else self.links).add(values["href"])
        elif tag == "a" and "href" in values:
            self.links.add(values["href"])
        self.assets.update(IN_STYLES.findall(values.get("style", "")))


def parse(page: Path) -> Document:
    document = Document()
    document.feed(page.read_text("utf-8"))
    return document


def is_foreign(target: str) -> bool:
    return bool(urlsplit(target).netloc)


def problems(site: Path) -> list[str]:
    """Return what is wrong with the site."""
    found = []
    # rustdoc checks its own links.
    pages = {
        page: parse(page) for language in ("en", "id") for page in sorted((site / language).rglob("*.html"))
    }
    with_rust = (site / "rust").is_dir()
    for page, document in pages.items():
        where = page.relative_to(site)
        found += [f"{where}: loads {asset}" for asset in sorted(document.assets) if is_foreign(asset)]
        for target in sorted(document.links | document.assets):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or target.startswith("data:"):
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not with_rust and file.is_relative_to(site / "rust"):
                continue
            if file.is_dir():
                file /= "index.html"
            if not file.exists():
                found.append(f"{where}: {target} does not exist")
            elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors:
                found.append(f"{where}: {target} has no such place")
    for sheet in sorted(site.rglob("*.css")):
        loaded = IN_STYLES.findall(sheet.read_text("utf-8"))
        found += [f"{sheet.relative_to(site)}: loads {target}" for target in loaded]
    english, indonesian = (
        {page.relative_to(site / at) for page in pages if page.is_relative_to(site / at)}
        for at in ("en", "id")
    )
    found += [f"id/{page}: is missing" for page in sorted(english - indonesian)]
    found += [f"en/{page}: is missing" for page in sorted(indonesian - english)]
    return found


def main() -> int:
    found = problems(Path(sys.argv[1]).resolve())
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
