"""The documents: their code is Python, the names in it exist, and both languages show the same code."""

import ast
import re
from pathlib import Path

import pytest

import kecoa

ROOT = Path(__file__).parent.parent
ENGLISH = [ROOT / "README.md", *sorted((ROOT / "docs/en").rglob("*.md"))]
DOCUMENTS = [*ENGLISH, ROOT / "README.id.md", *sorted((ROOT / "docs/id").rglob("*.md"))]


def translation(document):
    if document.parent == ROOT:
        return ROOT / "README.id.md"
    return ROOT / "docs/id" / document.relative_to(ROOT / "docs/en")


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S)


def without_comments(code):
    """Return the code with its comments' words left out: those are translated."""
    return re.sub(r"(#|//) .*", r"\1", code)


def name(path):
    return str(path.relative_to(ROOT))


def without_magics(cell):
    """Return the Python of a notebook's cell: what %line and %%cell commands take is theirs."""
    return "" if cell.startswith("%%") else re.sub(r"^(\w+ = )?%.*$", "", cell, flags=re.M)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_python_in_documents(document):
    for code in map(without_magics, blocks(document, "python")):
        for node in ast.walk(ast.parse(code)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "kecoa"
            ):
                assert hasattr(kecoa, node.attr), f"{name(document)} names kecoa.{node.attr}"


@pytest.mark.parametrize("document", ENGLISH, ids=name)
def test_both_languages_show_the_same_code(document):
    for language in ("python", "console", "rust"):
        theirs = blocks(translation(document), language)
        assert [without_comments(code) for code in blocks(document, language)] == [
            without_comments(code) for code in theirs
        ]


def unindented(code):
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


@pytest.mark.parametrize("document", ENGLISH, ids=name)
def test_rust_in_documents_is_part_of_the_examples_that_run(document):
    examples = [unindented(path.read_text("utf-8")) for path in (ROOT / "crates").glob("*/examples/*.rs")]
    for code in blocks(document, "rust"):
        # Between two statements of a block the program may have more.
        for part in code.strip().split("\n\n"):
            assert any(unindented(part) in example for example in examples), part


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
        assert (document.parent / target).exists(), f"{name(document)} links to {target}"


def test_the_documents_are_found():
    assert len(ENGLISH) >= 3
    assert any(blocks(document, "python") for document in ENGLISH)


def test_every_example_is_listed():
    page = ROOT / "examples/README.md"
    linked = {
        (page.parent / target).resolve() for target in re.findall(r"\]\(([^)]+)\)", page.read_text("utf-8"))
    }
    programs = {
        *(ROOT / "examples").glob("*.py"),
        *(ROOT / "examples").glob("*/src/main.rs"),
        *ROOT.glob("crates/*/examples/*.rs"),
    }
    assert len(programs) >= 15
    assert {name(program) for program in programs} == {
        name(path) for path in linked if path in programs or path.suffix in (".py", ".rs")
    }
    assert all(path.exists() for path in linked)
