#!/usr/bin/env python3
"""Draw the pictures of the documentation: docs/images/NAME.en.svg and NAME.id.svg.

usage: draw_pictures.py [--check]

--check draws nothing, and fails when a picture is not what would be drawn.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.pictures import structure, terminal, transactions  # noqa: E402

IMAGES = ROOT / "docs/images"
PICTURES = {
    "backoff": transactions.backoff,
    "commit": transactions.commit,
    "conflict": transactions.conflict,
    "demo": terminal.demo,
    "documents": structure.documents,
    "endpoint": structure.endpoint,
    "keys": structure.keys,
    "layers": structure.layers,
    "pool": structure.pool,
    "write-skew": transactions.write_skew,
}


def english(text: str, _: str) -> str:
    """Choose the English text."""
    return text


def indonesian(_: str, text: str) -> str:
    """Choose the Indonesian text."""
    return text


def drawn() -> dict[Path, str]:
    """Return what each file should hold."""
    files = {}
    for name, picture in PICTURES.items():
        files[IMAGES / f"{name}.en.svg"] = picture(english).svg()
        files[IMAGES / f"{name}.id.svg"] = picture(indonesian).svg()
    return files


def main() -> int:
    files = drawn()
    if "--check" in sys.argv[1:]:
        stale = [path for path, text in files.items() if not path.exists() or path.read_text("utf-8") != text]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what tools/draw_pictures.py draws", file=sys.stderr)
        return 1 if stale else 0
    IMAGES.mkdir(exist_ok=True)
    for path, text in files.items():
        path.write_text(text, "utf-8")
    print(f"{len(files)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
