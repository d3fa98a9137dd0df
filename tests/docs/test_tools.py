"""The tools that keep the documentation true find what they are for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"
sys.path.insert(0, str(TOOLS))


def tool(name: str) -> ModuleType:
    """A program of tools/ as a module."""
    specification = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def site(tmp_path: Path, **pages: str) -> Path:
    """A site whose pages are there in both languages, but for what is given of the English page."""
    for language in ("en", "id"):
        (tmp_path / language).mkdir()
        (tmp_path / language / "index.html").write_text(pages.get(language, "<p id=top></p>"))
    return tmp_path


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="index.html#top">x</a><p id="top">', None),
        ('<a href="https://example.org/">a link may lead elsewhere</a>', None),
        ('<a href="missing.html">x</a>', "missing.html does not exist"),
        ('<a href="index.html#nowhere">x</a>', "no such place"),
        ('<img src="picture.svg">', "picture.svg does not exist"),
        ('<script src="https://example.org/a.js"></script>', "loads https://example.org/a.js"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "loads //example.org/a.css"),
        ('<p style="background: url(https://example.org/a.png)">', "loads https://example.org/a.png"),
    ],
)
def test_a_site_is_checked(page: str, problem: str | None, tmp_path: Path) -> None:
    found = tool("check_site").problems(site(tmp_path, en=page))
    assert len(found) == (problem is not None)
    assert problem is None or problem in found[0]


def test_a_page_in_one_language_only_is_found(tmp_path: Path) -> None:
    folder = site(tmp_path)
    (folder / "en/more.html").write_text("")
    assert tool("check_site").problems(folder) == ["id/more.html: is missing"]


def test_a_style_sheet_that_loads_a_font_is_found(tmp_path: Path) -> None:
    folder = site(tmp_path)
    (folder / "en/a.css").write_text("@font-face { src: url('https://example.org/font.woff2') }")
    assert len(tool("check_site").problems(folder)) == 1


def test_words_of_our_own_making_are_found_in_prose_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tool("check_words")
    monkeypatch.setattr(words, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "A pool lends a\nconnection.\n\n```python\nlends\n```\n`lends` <!-- lends -->\nfaults on\npurpose\n"
    )
    assert list(words.faults(page, words.prose(page.read_text()), words.lists()["english"])) == [
        'page.md:1: "lends": write "check out"',
        'page.md:8: "faults on purpose": write "fault injection; inject"',
    ]


def test_words_of_our_own_making_are_found_in_parts_of_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tool("check_words")
    monkeypatch.setattr(words, "ROOT", tmp_path)
    file = tmp_path / "house.rs"
    text = "// A desk.\nfn keep_house() {}\nstruct HouseOfCards;\nfn lend() {}\nlet counted = blend(LEND);\n"
    lists = words.lists()
    code = {"house": "maintenance", "desk": "pool state"}
    assert [fault.split(":")[1] for fault in words.faults(file, words.spoken(text), code)] == ["1", "2", "3"]
    found = list(words.names(file, text, {"lend": "check_out"}, lists["files"]))
    assert [fault.split(":")[1] for fault in found] == ["1", "4"]


def test_a_translation_of_an_older_page_is_found(tmp_path: Path) -> None:
    translations = tool("check_translations")
    translations.ROOT = tmp_path
    english, indonesian = tmp_path / "en.md", tmp_path / "id.md"
    english.write_text("# One\n")
    indonesian.write_text("# Satu\n")
    assert "does not say what it translates" in translations.fault(indonesian, english)
    translations.update(indonesian, english)
    assert indonesian.read_text().endswith(" -->\n# Satu\n")
    assert translations.fault(indonesian, english) is None
    english.write_text("# One\n\n<!-- made by a test -->\n| 1 |\n<!-- end -->\n")
    translations.update(indonesian, english)
    english.write_text("# One\n\n<!-- made by a test -->\n| 2 |\n<!-- end -->\n")
    assert translations.fault(indonesian, english) is None
    english.write_text("# Two\n")
    assert "translates an older" in translations.fault(indonesian, english)
    english.unlink()
    assert "does not exist" in translations.fault(indonesian, english)
