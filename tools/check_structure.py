#!/usr/bin/env python3
"""Check who uses whom, by tools/dependencies.toml.

usage: check_structure.py [--write]

Crates use each other as the table says, modules use those of the layers below theirs, and every library
has a row. Circles of imports among the files of a crate, or among the modules of the Python package (within
functions, too), are printed with the names that tie them; one that the table does not list is an error, and
so is one that it lists and that is no more. deny.toml and ARCHITECTURE.md hold what is made from the table;
--write makes it. Files that ARCHITECTURE.md names must be there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from structure import circles, layers, pages, render, table

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    if sys.argv[1:] not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    known = table.load(ROOT / "tools/dependencies.toml")
    graphs = circles.read(known)
    said, wrong = circles.check(graphs)
    packages = layers.metadata(ROOT)
    wrong += layers.crates(known, packages)
    wrong += layers.libraries(known, packages)
    for read in graphs:
        wrong += layers.modules(read.part, read.graph)
        wrong += layers.pure(read.part)
    for file, text in render.rendered(known, ROOT):
        if file.read_text(encoding="utf-8") == text:
            continue
        if "--write" in sys.argv:
            file.write_text(text, encoding="utf-8")
        else:
            wrong.append(f"{file.name} is not what the table makes: run tools/check_structure.py --write")
    wrong += pages.missing_files(ROOT / "ARCHITECTURE.md", ROOT)
    print("\n".join(said))
    for complaint in wrong:
        print(complaint, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
