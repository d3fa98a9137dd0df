"""Which file of a Rust crate takes which names from which other.

Reads the tree of modules from the crate's root, and in each file every `use` and every path in the code.
A path is followed to the file that defines the name: through re-exports, aliases and globs. A `pub use`
is no tie of its own: it hands a name on, and needs nothing of it. Code for tests is left out.

What is not seen: names that macros put together, and methods, which need no import.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .graph import Graph

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>\b(?:b|c)?r(?P<hashes>\#*)".*?"(?P=hashes) | (?:\b[bc])?"(?:\\.|[^"\\])*")
    | (?P<char>b?'(?:\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.)|[^\\'])')
    | (?P<lifetime>'[A-Za-z_]\w*)
    | (?P<word>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>\d[\w.]*?(?=\.\.|\.[A-Za-z_]|[^\w.]|$))
    | (?P<mark>::|=>|->|.)""",
    re.VERBOSE | re.DOTALL,
)
ITEMS = {"struct", "enum", "union", "trait", "fn", "type", "const", "static", "mod", "macro_rules"}
OPEN = {"{": "}", "(": ")", "[": "]"}


def tokens(text: str) -> list[str]:
    """Split code into words and marks; comments and numbers are gone, strings are '""'."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"cannot read Rust at byte {at}: {text[at : at + 40]!r}")
        at = match.end()
        kind = match.lastgroup
        if kind == "comment":
            depth = 1
            while depth:
                step = re.compile(r"/\*|\*/").search(text, at)
                if step is None:
                    raise ValueError("a block comment without an end")
                depth += 1 if step[0] == "/*" else -1
                at = step.end()
        elif kind in ("word", "mark"):
            found.append(match[0].removeprefix("r#"))
        elif kind in ("string", "hashes"):
            found.append(match[0] if match[0].startswith('"') else '""')
        elif kind == "number":
            found.append("0")
    return found


@dataclass
class Module:
    """A module of a crate: where it is written, what it defines, and what it brings in by `use`."""

    path: tuple[str, ...]
    # More than one where the build chooses (`#[cfg(feature)] mod x`).
    files: list[Path]
    children: dict[str, Module] = field(default_factory=dict)
    defined: dict[str, list[Path]] = field(default_factory=dict)
    used: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    globs: list[tuple[str, ...]] = field(default_factory=list)


@dataclass
class Mention:
    """A path somewhere in a file, and the module it stands in."""

    file: Path
    module: Module
    path: tuple[str, ...]
    # Names of the block that the path stands in.
    local: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Crate:
    """The modules of a crate, from its root file on."""

    def __init__(self, root: Path) -> None:
        self.root = Module((), [root])
        self.macros: dict[str, list[Path]] = {}
        self.mentions: list[Mention] = []
        self.files: list[Path] = []
        self.read(root, self.root, root.parent)

    def read(self, file: Path, module: Module, folder: Path) -> None:
        self.files.append(file)
        Reader(self, file, folder).items(tokens(file.read_text(encoding="utf-8")), module)

    def find(
        self, module: Module, path: tuple[str, ...], seen: frozenset[tuple[tuple[str, ...], tuple[str, ...]]]
    ) -> Iterator[tuple[Path, str]]:
        """Yield the files that define what `path`, as written in `module`, names."""
        key = (module.path, path)
        if not path or key in seen or len(seen) > 40:
            return
        seen |= {key}
        first, rest = path[0], path[1:]
        if first == "crate":
            yield from self.within(self.root, rest, seen)
        elif first == "self":
            yield from self.within(module, rest, seen)
        elif first == "super":
            parent = self.at(module.path[:-1])
            if rest[:1] == ("super",):
                yield from self.find(parent, rest, seen)
            else:
                yield from self.within(parent, rest, seen)
        else:
            yield from self.within(module, path, seen)

    def within(
        self, module: Module, path: tuple[str, ...], seen: frozenset[tuple[tuple[str, ...], tuple[str, ...]]]
    ) -> Iterator[tuple[Path, str]]:
        if not path or path[0] == "*":
            return
        first, rest = path[0], path[1:]
        if rest and first in module.children:
            yield from self.within(module.children[first], rest, seen)
        if first in module.defined:
            for file in module.defined[first]:
                yield file, first
        if module is self.root and first in self.macros:
            for file in self.macros[first]:
                yield file, first
        for target in module.used.get(first, ()):
            yield from self.find(module, target + rest, seen)
        if first not in module.defined and first not in module.used and first not in module.children:
            for target in module.globs:
                yield from self.find(module, target + path, seen)

    def at(self, path: tuple[str, ...]) -> Module:
        module = self.root
        for name in path:
            module = module.children[name]
        return module

    def graph(self, base: Path) -> Graph:
        graph = Graph({str(file.relative_to(base)) for file in self.files})
        for mention in self.mentions:
            path = mention.path
            if path[0] in mention.local:
                path = mention.local[path[0]] + path[1:]
            for file, name in self.find(mention.module, path, frozenset()):
                graph.tie(str(mention.file.relative_to(base)), str(file.relative_to(base)), name)
        return graph


class Reader:
    """Reads one file, item by item."""

    def __init__(self, crate: Crate, file: Path, folder: Path) -> None:
        self.crate, self.file, self.folder = crate, file, folder

    def items(self, words: list[str], module: Module) -> None:
        """Read what stands at the level of a module."""
        at = 0
        attributes: list[list[str]] = []
        while at < len(words):
            word = words[at]
            if word == "#":
                start = at + (2 if words[at + 1 : at + 2] == ["!"] else 1)
                end = closing(words, start)
                if start == at + 1:
                    attributes.append(words[start + 1 : end])
                self.code(words[start + 1 : end], module)
                at = end + 1
                continue
            end = item_end(words, at)
            item = words[at:end]
            if not any(for_tests(attribute) for attribute in attributes):
                self.item(item, module, attributes)
            attributes = []
            at = end

    def item(self, item: list[str], module: Module, attributes: list[list[str]]) -> None:
        at, public = after_visibility(item)
        word = item[at] if at < len(item) else ""
        if word == "use":
            for alias, target in use_tree(item[at + 1 : -1]):
                if alias == "*":
                    module.globs.append(target)
                else:
                    module.used.setdefault(alias, []).append(target)
                if not public:
                    self.crate.mentions.append(Mention(self.file, module, target))
            return
        if word == "mod":
            self.module(item, at, module, attributes)
            return
        kind = next((index for index in range(at, len(item)) if item[index] not in MODIFIERS), at)
        head = item[kind] if kind < len(item) else ""
        if head == "fn" or (head in ITEMS and head != "macro_rules"):
            name = item[kind + 1] if item[kind + 1] != "mut" else item[kind + 2]
            module.defined.setdefault(name, []).append(self.file)
        elif head == "macro_rules":
            exported = any("macro_export" in attribute for attribute in attributes)
            macros = self.crate.macros if exported else module.defined
            macros.setdefault(item[kind + 2], []).append(self.file)
        elif head == "const" or "const" in item[at:kind]:
            name = item[kind] if head != "const" else item[kind + 1]
            module.defined.setdefault(name, []).append(self.file)
        self.code(item, module)

    def module(self, item: list[str], at: int, module: Module, attributes: list[list[str]]) -> None:
        name = item[at + 1]
        child = module.children.setdefault(name, Module((*module.path, name), []))
        module.defined.setdefault(name, [])
        if item[at + 2] == "{":
            child.files.append(self.file)
            inner = Reader(self.crate, self.file, self.folder / name)
            inner.items(item[at + 3 : -1], child)
            return
        chosen = next((a[2].strip('"') for a in attributes if a[:2] == ["path", "="]), None)
        if chosen is not None:
            file = self.file.parent / chosen
            folder = file.parent
        else:
            file, folder = self.folder / f"{name}.rs", self.folder / name
            if not file.exists():
                file = folder / "mod.rs"
        if not file.exists():
            raise FileNotFoundError(f"{self.file}: no file for `mod {name};`")
        child.files.append(file)
        self.crate.read(file, child, folder)

    def code(self, words: list[str], module: Module) -> None:
        """Note every path in code; a `use` in a block counts for what follows in it."""
        scopes: list[dict[str, tuple[str, ...]]] = [{}]
        at = 0
        while at < len(words):
            word = words[at]
            if word == "{":
                scopes.append(dict(scopes[-1]))
            elif word == "}" and len(scopes) > 1:
                scopes.pop()
            elif word == "#" and words[at + 1 : at + 2] == ["["]:
                end = closing(words, at + 1)
                if for_tests(words[at + 2 : end]):
                    at = item_end(words, end + 1)
                    continue
            elif word == "use" and at + 1 < len(words) and is_word(words[at + 1]):
                end = words.index(";", at)
                for alias, target in use_tree(words[at + 1 : end]):
                    self.crate.mentions.append(Mention(self.file, module, target, dict(scopes[-1])))
                    if alias != "*":
                        scopes[-1][alias] = target
                at = end
            elif is_word(word) and (at == 0 or words[at - 1] not in (".", "::", "fn", "let", "mod")):
                path = [word]
                while words[at + 1 : at + 2] == ["::"] and at + 2 < len(words) and is_word(words[at + 2]):
                    path.append(words[at + 2])
                    at += 2
                if len(path) > 1 or path[0] in scopes[-1] or not path[0][0].islower():
                    self.crate.mentions.append(Mention(self.file, module, tuple(path), dict(scopes[-1])))
                elif words[at + 1 : at + 2] in (["("], ["!"]):
                    # A function or macro that a glob brought in.
                    self.crate.mentions.append(Mention(self.file, module, tuple(path), dict(scopes[-1])))
            at += 1


MODIFIERS = {"async", "unsafe", "extern", "default", "const", '""', "auto", "safe"}
KEYWORDS = {
    *("as", "break", "const", "continue", "else", "enum", "extern", "false", "fn", "for", "if", "impl", "in"),
    *("let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct", "trait"),
    *("true", "type", "unsafe", "use", "where", "while", "async", "await", "dyn", "_"),
}


def is_word(word: str) -> bool:
    return (word[0].isalpha() or word[0] == "_") and word not in KEYWORDS


def for_tests(attribute: list[str]) -> bool:
    return attribute[:3] == ["cfg", "(", "test"] or attribute[:5] == ["cfg", "(", "all", "(", "test"]


def closing(words: list[str], at: int) -> int:
    """Return where the bracket at `at` closes."""
    depth = 0
    for index in range(at, len(words)):
        if words[index] in OPEN:
            depth += 1
        elif words[index] in OPEN.values():
            depth -= 1
            if depth == 0:
                return index
    raise ValueError(f"no end of {words[at]!r}")


def item_end(words: list[str], at: int) -> int:
    """Return where the item at `at` ends: behind its `;` or its block."""
    while words[at : at + 1] == ["#"]:
        at = closing(words, at + 1) + 1
    head = at + after_visibility(words[at : at + 12])[0]
    assigned = words[head : head + 1] == ["use"]
    while at < len(words):
        word = words[at]
        if word == ";":
            return at + 1
        if word in "({[":
            end = closing(words, at)
            if word == "{" and not assigned and words[end + 1 : end + 2] != [";"]:
                return end + 1
            at = end
        elif word == "=":
            assigned = True
        at += 1
    return at


def after_visibility(item: list[str]) -> tuple[int, bool]:
    """Return where an item goes on after `pub` or `pub(...)`, and whether that was there."""
    if item[:1] != ["pub"]:
        return 0, False
    return (closing(item, 1) + 1 if item[1:2] == ["("] else 1), True


def use_tree(words: list[str], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each name that a `use` brings in, and its path."""
    path = prefix
    at = 1 if words[:1] == ["::"] else 0
    while at < len(words):
        word = words[at]
        if word == "{":
            for part in parts(words[at + 1 : closing(words, at)]):
                yield from use_tree(part, path)
            return
        if word == "as":
            yield words[at + 1], path
            return
        if word == "*":
            yield "*", path
            return
        if word == "self" and path and path[-1] not in ("self", "super"):
            pass
        elif word != "::":
            path = (*path, word)
        at += 1
    if path:
        yield path[-1], path


def parts(words: list[str]) -> Iterator[list[str]]:
    depth = 0
    part: list[str] = []
    for word in words:
        if word == "," and depth == 0:
            if part:
                yield part
            part = []
            continue
        depth += (word == "{") - (word == "}")
        part.append(word)
    if part:
        yield part


def graph(root: Path, base: Path) -> Graph:
    """Read the crate whose root file is `root`; files are named from `base` on."""
    return Crate(root).graph(base)
