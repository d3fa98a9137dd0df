#!/usr/bin/env python3
"""Build the documentation site into target/site: en/, id/, rust/ and a front page that picks the language.

usage: build_site.py [--without-rust]

Run by `make site`, in .venv-docs. Pages are copied to target/site-source first, where links that leave
docs/LANGUAGE are turned into pages of the site, and where the pages of the API are written. Warnings are
errors, and tools/check_site.py looks at what was built.
"""

from __future__ import annotations

import html
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SITE = ROOT / "target/site"
SOURCE = ROOT / "target/site-source"
LANGUAGES = ("en", "id")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
LANGUAGE_LINE = re.compile(r"^\*\[(?:Bahasa Indonesia|English)\]\([^)]+\)\*\n\n?", re.MULTILINE)
TRANSLATES = re.compile(r"\A<!-- translates: \S+ -->\n+")
CHOICE = (
    "<script>location.replace(/^id\\b/.test(navigator.language) ? 'id/index.html' : 'en/index.html')</script>"
)
LEXERS = {".py": "python", ".rs": "rust", ".md": "markdown", ".toml": "toml", ".sql": "sql"}

# The public modules, in the order of the page.
MODULES = [
    "kecoa",
    "kecoa.extensions",
    "kecoa.extras",
    "kecoa.sql",
    "kecoa.errors",
    "kecoa.errorcodes",
    "kecoa.tz",
    "kecoa.types",
    "kecoa.retry",
    "kecoa.pool",
    "kecoa.rows",
    "kecoa.aio",
    "kecoa.sqlalchemy",
    "kecoa.sqlalchemy.cockroachdb",
    "kecoa.observe",
    "kecoa.local",
    "kecoa.mongo",
    "kecoa.run",
]
WORDS = {
    "en": {
        "api": "API reference",
        "intro": "Every public module of the package, from its own docstrings.",
        "language": "",
        "rust": "Rust crates",
        "source": "Part of kecoa's source tree.",
        "sqlstates": "The class of each SQLSTATE",
        "cls": "Class",
        "base": "A subclass of",
        "elsewhere": "Also here:",
    },
    "id": {
        "api": "Referensi API",
        "intro": "Semua modul publik paket ini, dari docstring-nya sendiri.",
        "language": "Docstring ditulis dalam bahasa Inggris.",
        "rust": "Crate Rust",
        "source": "Bagian dari kode sumber kecoa.",
        "sqlstates": "Class untuk setiap SQLSTATE",
        "cls": "Class",
        "base": "Subclass dari",
        "elsewhere": "Juga ada di sini:",
    },
}


class SiteError(Exception):
    """The site can't be built; says why."""


def pages_of(language: str) -> None:
    """Copy a language's pages; turn links that leave its tree into pages of the site."""
    source = SOURCE / language
    shutil.copytree(DOCS / language, source)
    if (DOCS / "images").exists():
        shutil.copytree(DOCS / "images", source / "images")
    shown: dict[Path, str] = {}
    for page in sorted(source.rglob("*.md")):
        original = DOCS / language / page.relative_to(source)

        def local(found: re.Match[str], page: Path = page, original: Path = original) -> str:
            target = (original.parent / found[1]).resolve()
            anchor = found[2] or ""
            if target.is_relative_to(DOCS / language):
                return found[0]
            if target.is_relative_to(DOCS / "images"):
                image = source / "images" / target.relative_to(DOCS / "images")
                return f"]({os.path.relpath(image, page.parent)})"
            if not target.is_file() or not target.is_relative_to(ROOT):
                raise SiteError(f"{original}: links to {found[1]}, which is no file")
            name = str(target.relative_to(ROOT)).replace("/", "-").replace(".", "-") + ".md"
            shown[target] = name
            return f"]({os.path.relpath(source / 'source' / name, page.parent)}{anchor})"

        text = page.read_text("utf-8")
        text = TRANSLATES.sub("", text)
        text = LANGUAGE_LINE.sub("", text)
        page.write_text(LINK.sub(local, text), "utf-8")
    for target, name in shown.items():
        show_file(source / "source" / name, target, WORDS[language]["source"])


def show_file(page: Path, target: Path, intro: str) -> None:
    """Write a page that shows a file of the source tree."""
    page.parent.mkdir(exist_ok=True)
    lexer = LEXERS.get(target.suffix, "text")
    text = target.read_text("utf-8")
    fence = "`" * (max((len(run) for run in re.findall(r"`{3,}", text)), default=3) + 1)
    head = f"---\norphan: true\n---\n# {target.relative_to(ROOT)}\n\n{intro}\n\n"
    page.write_text(f"{head}{fence}{lexer}\n{text}\n{fence}\n", "utf-8")


def sqlstates(language: str) -> str:
    """Return the table of kecoa.errors."""
    words = WORDS[language]
    errors = importlib.import_module("kecoa.errors")
    codes = importlib.import_module("kecoa._kecoa").sqlstate_errors
    rows = [
        f"   * - ``{code}``\n     - ``{cls.__name__}``\n     - ``{cls.__mro__[1].__name__}``"
        for code, cls in sorted(codes.items())
        if hasattr(errors, cls.__name__)
    ]
    head = (
        ".. list-table::\n   :header-rows: 1\n\n"
        f"   * - SQLSTATE\n     - {words['cls']}\n     - {words['base']}\n"
    )
    return f"{words['sqlstates']}\n{'-' * 60}\n\n{head}" + "\n".join(rows) + "\n"


def api(language: str) -> None:
    """Write a page for each public module, and their index."""
    words = WORDS[language]
    folder = SOURCE / language / "api"
    folder.mkdir()
    documented: dict[int, str] = {}
    for module in MODULES:
        imported = importlib.import_module(module)
        text = f"{module}\n{'=' * len(module)}\n\n"
        if words["language"]:
            text += f"*{words['language']}*\n\n"
        text += f".. automodule:: {module}\n"
        if module in ("kecoa.errors", "kecoa.errorcodes"):
            text += "   :no-members:\n\n"
            if module == "kecoa.errors":
                text += ".. autofunction:: kecoa.errors.lookup\n\n" + sqlstates(language)
        else:
            text += members(module, imported, documented, words)
        (folder / f"{module}.rst").write_text(text, "utf-8")
    listed = "\n".join(f"   {module}" for module in MODULES)
    rust = f"`{words['rust']} <../../rust/kecoa/index.html>`_"
    (folder / "index.rst").write_text(
        f"{words['api']}\n{'=' * 40}\n\n{words['intro']} {words['language']}\n\n{rust}\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{listed}\n",
        "utf-8",
    )
    index = SOURCE / language / "index.md"
    index.write_text(index.read_text("utf-8") + "\n```{toctree}\n:hidden:\n\napi/index\n```\n", "utf-8")


def members(module: str, imported: ModuleType, documented: dict[int, str], words: dict[str, str]) -> str:
    """Return the directives for a module's public names; each thing is described where it comes first."""
    names = [
        name
        for name in getattr(imported, "__all__", ())
        if not name.startswith("__") and not isinstance(getattr(imported, name), ModuleType)
    ]
    if not names:
        return ""
    text = "   :no-members:\n\n"
    elsewhere = []
    for name in names:
        value = getattr(imported, name)
        home = documented.setdefault(id(value), f"{module}.{name}") if callable(value) else f"{module}.{name}"
        if home == f"{module}.{name}":
            text += directive(module, name, value)
        else:
            elsewhere.append(f":py:obj:`{home}`")
    if elsewhere:
        text += f"{words['elsewhere']} {', '.join(elsewhere)}\n"
    return text


def directive(module: str, name: str, value: object) -> str:
    """Return the directive that documents a name of a module."""
    options = ""
    if isinstance(value, type) and issubclass(value, BaseException):
        kind, options = "autoexception", "   :show-inheritance:\n"
    elif isinstance(value, type):
        kind = "autoclass"
    elif callable(value):
        kind = "autofunction"
    else:
        kind = "autodata"
    return f".. {kind}:: {module}.{name}\n{options}\n"


def sphinx(language: str) -> None:
    """Build a language's pages."""
    command = [
        *(sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-j", "auto"),
        *("-c", str(DOCS / "site"), "-D", f"language={language}"),
        *("-d", str(ROOT / "target/site-doctrees" / language)),
        *(str(SOURCE / language), str(SITE / language)),
    ]
    if subprocess.run(command, check=False).returncode:
        raise SiteError(
            f"Sphinx found faults in the pages of `{language}`; their paths are those of copies of docs/"
        )
    # Pagefind has its place.
    for unused in ("searchindex.js", "_static/searchtools.js", "_static/language_data.js", "objects.inv.txt"):
        (SITE / language / unused).unlink(missing_ok=True)
    command = [sys.executable, "-m", "pagefind", "--site", str(SITE / language), "--quiet"]
    command += ["--exclude-selectors", "a.headerlink"]
    if subprocess.run(command, check=False).returncode:
        raise SiteError("Pagefind could not index the pages")


def rust() -> None:
    """Build rustdoc of what is published, and copy it."""
    command = ["cargo", "doc", "--quiet", "--no-deps", "--features", "kecoa/tracing"]
    for crate in ("kecoa", "kecoa-types", "kecoa-proto", "kecoa-derive"):
        command += ["--package", crate]
    environment = {
        **os.environ,
        "RUSTDOCFLAGS": "-D warnings",
        "CARGO_TARGET_DIR": str(ROOT / "target/site-rust"),
    }
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise SiteError("rustdoc found faults")
    shutil.copytree(ROOT / "target/site-rust/doc", SITE / "rust")
    front(SITE / "rust/index.html", "kecoa/index.html")


def front(page: Path, default: str, script: str = "") -> None:
    """Write a page that leads on."""
    page.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>kecoa</title>'
        f'{script}<meta http-equiv="refresh" content="0; url={html.escape(default)}"></head>'
        f'<body><a href="{html.escape(default)}">kecoa</a></body></html>\n',
        "utf-8",
    )


def main() -> int:
    began = time.monotonic()
    for folder in (SITE, SOURCE):
        shutil.rmtree(folder, ignore_errors=True)
    SITE.mkdir(parents=True)
    # Sphinx writes beside it what it makes of it.
    shutil.copytree(DOCS / "site/locale", SOURCE / "locale")
    try:
        for language in LANGUAGES:
            pages_of(language)
            api(language)
            sphinx(language)
        if "--without-rust" not in sys.argv:
            rust()
    except SiteError as error:
        print(f"build_site: {error}", file=sys.stderr)
        return 1
    front(SITE / "index.html", "en/index.html", CHOICE)
    if subprocess.run([sys.executable, str(ROOT / "tools/check_site.py"), str(SITE)], check=False).returncode:
        return 1
    english, indonesian = (len(list((SITE / language).rglob("*.html"))) for language in LANGUAGES)
    seconds = time.monotonic() - began
    print(f"target/site: {english} pages in English, {indonesian} in Indonesian, {seconds:.0f} s")
    print("To read it: python -m http.server -d target/site")
    return 0


if __name__ == "__main__":
    sys.exit(main())
