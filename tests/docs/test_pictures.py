"""The pictures are what tools/draw_pictures.py draws, fit their frames, and are shown in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.draw_pictures import IMAGES, PICTURES, ROOT, drawn

FILES = drawn()
SVG = "{http://www.w3.org/2000/svg}"
# A wide guess: the widest letters of the fonts that readers have.
LETTER = 7.9


def test_pictures_are_drawn_anew_when_their_program_changes() -> None:
    assert {path: path.read_text("utf-8") for path in FILES} == FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_words_stay_inside_the_picture(path: Path) -> None:
    svg = ElementTree.fromstring(FILES[path])
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    for text in svg.iter(f"{SVG}text"):
        x, y, words = float(text.get("x", 0)), float(text.get("y", 0)), text.text or ""
        length = len(words) * LETTER
        left = x - {"start": 0, "middle": length / 2, "end": length}[text.get("text-anchor", "start")]
        assert left >= -4, words
        assert left + length <= width + 24, words
        assert 10 <= y <= height - 2, words


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("language", ["en", "id"])
def test_a_page_shows_each_picture_with_a_description(name: str, language: str) -> None:
    shown = rf"!\[[^\]]{{10,}}\]\((?:docs/|[./]*)images/{name}\.{language}\.svg\)"
    readme = ROOT / ("README.md" if language == "en" else "README.id.md")
    pages = [readme, *(ROOT / "docs" / language).rglob("*.md")]
    assert any(re.search(shown, page.read_text("utf-8")) for page in pages)


def test_nothing_else_lies_in_the_folder() -> None:
    made = {path.name for path in FILES}
    others = [path for path in IMAGES.glob("*.svg") if path.name not in made]
    pages = "".join(page.read_text("utf-8") for page in ROOT.glob("*.md"))
    pages += "".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md"))
    assert [path.name for path in others if path.name not in pages] == []
