#!/usr/bin/env python3
"""Check that each Indonesian page translates its English page as it is now.

usage: check_translations.py [--update PAGE ...]

An Indonesian page names the English text that it translates in its first line, by a hash:
<!-- translates: 3f9ac1d2b7e0 -->. When the English page changes, the check fails until the translation was
brought up to date and `--update docs/id/PAGE.md` has written the new hash.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENGLISH, INDONESIAN = ROOT / "docs/en", ROOT / "docs/id"
LINE = re.compile(r"\A<!-- translates: (\S+) -->\n")
# Tables that tests write into the pages of both languages.
GENERATED = re.compile(r"<!-- made by .*?<!-- end -->", re.DOTALL)


def pairs() -> dict[Path, Path]:
    """Return the Indonesian pages, each with its English one."""
    found = {INDONESIAN / page.relative_to(ENGLISH): page for page in sorted(ENGLISH.rglob("*.md"))}
    found |= {page: ENGLISH / page.relative_to(INDONESIAN) for page in sorted(INDONESIAN.rglob("*.md"))}
    return {**found, ROOT / "README.id.md": ROOT / "README.md"}


def revision(english: Path) -> str:
    """Return the hash of an English page."""
    text = GENERATED.sub("", english.read_text("utf-8"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def fault(page: Path, english: Path) -> str | None:
    """Return what is wrong with a translation."""
    if not page.exists():
        return f"is missing; {english.relative_to(ROOT)} has no translation"
    if not english.exists():
        return f"translates {english.relative_to(ROOT)}, which does not exist"
    named = LINE.match(page.read_text("utf-8"))
    if named is None:
        return "does not say what it translates; run tools/check_translations.py --update on it"
    if named[1] != revision(english):
        return f"translates an older {english.relative_to(ROOT)}; translate what changed, then --update it"
    return None


def update(page: Path, english: Path) -> None:
    """Write the hash of the English page into its translation."""
    line = f"<!-- translates: {revision(english)} -->\n"
    page.write_text(line + LINE.sub("", page.read_text("utf-8")), "utf-8")


def main() -> int:
    found = pairs()
    if sys.argv[1:2] == ["--update"] and len(sys.argv) > 2:
        for argument in sys.argv[2:]:
            page = Path(argument).resolve()
            if page not in found:
                print(f"{argument} is no page of docs/id", file=sys.stderr)
                return 2
            update(page, found[page])
        return 0
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    faults = {page: problem for page, english in found.items() if (problem := fault(page, english))}
    for page, problem in faults.items():
        print(f"{page.relative_to(ROOT)}: {problem}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
