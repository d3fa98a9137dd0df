"""What the site needs beyond Sphinx: docstrings in plain prose, names of files, the language switch."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CODE = re.compile(r"(`[^`\n]+`)")
SPECIAL = re.compile(r"([\\*_|<>])")
OF_SQLALCHEMY = frozenset({"cache_ok", "inherit_cache", "stringify_dialect"})
LABELS = {
    "en": {
        "other": "Bahasa Indonesia",
        "searching": "Searching …",
        "none": "Nothing found for",
        "found": "results for",
        "served": "Search needs a web server: python -m http.server -d target/site",
        "more": "Show more",
    },
    "id": {
        "other": "English",
        "searching": "Mencari …",
        "none": "Tidak ada hasil untuk",
        "found": "hasil untuk",
        "served": "Pencarian perlu server web: python -m http.server -d target/site",
        "more": "Tampilkan lagi",
    },
}


def escaped(line: str) -> str:
    """A line of a docstring as reStructuredText: `code` is code, and nothing else is markup."""
    parts = CODE.split(line)
    result = ""
    for before, part in zip(["", *parts], parts, strict=False):
        if CODE.fullmatch(part):
            # Code needs air around it; an escaped space is none.
            result += ("\\ " if before[-1:].isalnum() else "") + f"``{part[1:-1].strip()}``"
        else:
            result += ("\\ " if CODE.fullmatch(before) and part[:1].isalnum() else "") + SPECIAL.sub(
                r"\\\1", part
            )
    return result


def docstring(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Make a docstring, which is plain prose, what Sphinx reads: lists stay, what is indented is code."""
    result: list[str] = []
    code = False
    for line in lines:
        before = result[-1] if result else ""
        item = line.lstrip().startswith("- ")
        if line.startswith("    ") and not item and (code or not before.strip()):
            if not code:
                result += [".. code-block:: python", ""]
            code = True
            result.append(line)
            continue
        if code and not line.strip():
            result.append("")
            continue
        code = False
        if item and before.strip() and not before.lstrip().startswith("- ") and not before.startswith("  "):
            result.append("")
        result.append(escaped(line))
    lines[:] = result


def bases(app: Sphinx, name: str, obj: Any, options: Any, found: list[type]) -> None:
    """Leave out the bases that nobody can name."""
    found[:] = [base for base in found if base is not object and "._" not in base.__module__] or [object]


def skip(app: Sphinx, what: str, name: str, obj: Any, skipped: bool, options: Any) -> bool | None:
    """Leave out what SQLAlchemy asks of its subclasses."""
    return True if name in OF_SQLALCHEMY else None


def name_files(app: Sphinx, doctree: nodes.document) -> None:
    """Put the name of a file above the block that is its text."""
    # MyST passes comments on as raw HTML.
    for comment in list(doctree.findall(nodes.raw)):
        found = re.fullmatch(r"\s*<!--\s*file: (.+?)\s*-->\s*", comment.astext())
        parent = comment.parent
        if found is None or parent is None:
            continue
        at = parent.index(comment)
        following = parent[at + 1] if at + 1 < len(parent) else None
        if isinstance(following, nodes.literal_block):
            wrapper = nodes.container("", literal_block=True, classes=["literal-block-wrapper"])
            wrapper += nodes.caption("", found[1])
            parent.remove(following)
            wrapper += following
            doctree.set_id(wrapper)
            parent[at] = wrapper


def context(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Tell the templates the same page in the other language."""
    language = app.config.language
    other = "id" if language == "en" else "en"
    up = "../" * (pagename.count("/") + 1)
    context["kecoa_words"] = LABELS[language]
    context["kecoa_other"] = other
    context["kecoa_other_url"] = f"{up}{other}/{app.builder.get_target_uri(pagename)}"
    context["kecoa_rust_url"] = f"{up}rust/kecoa/index.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this."""
    app.connect("autodoc-process-docstring", docstring)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-bases", bases)
    app.connect("doctree-read", name_files)
    app.connect("html-page-context", context)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
