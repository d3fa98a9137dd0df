"""Holds crates, their modules and the libraries they use to the table."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from .graph import Graph
from .table import Part, Table

# What a crate without a socket, a clock or a thread of its own must not use.
IO = {"tokio", "socket2", "rustls", "rustix", "mio"}


def metadata(root: Path) -> dict[str, Any]:
    """Return the crates of the workspace by name, as cargo knows them."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--offline"]
    answer = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return {package["name"]: package for package in json.loads(answer.stdout)["packages"]}


def crates(table: Table, packages: dict[str, Any]) -> Iterator[str]:
    """Compare the crates' use of each other with the table. What only tests use is free."""
    parts = {part.name: part for part in table.crates}
    for name in sorted(packages.keys() ^ parts.keys()):
        yield f"{name}: " + ("is not in the table" if name in packages else "is no crate of the workspace")
    for name in sorted(packages.keys() & parts.keys()):
        part = parts[name]
        used = {d["name"] for d in packages[name]["dependencies"] if d["kind"] != "dev"}
        for other in sorted(used):
            if other in packages and other not in part.uses:
                yield f"{name} must not use {other}"
            if not part.io and other in IO:
                yield f"{name} does no I/O, and must not use {other}"
        for other in sorted(set(part.uses) - used):
            yield f"{name} may use {other}, and does not: take it out of the table"


def libraries(table: Table, packages: dict[str, Any]) -> Iterator[str]:
    """Compare the libraries that crates use with the table, those of tests too."""
    known = {name: library for library in table.libraries if not library.pypi for name in library.names}
    used: dict[str, set[str]] = {}
    for crate, package in packages.items():
        for dependency in package["dependencies"]:
            if dependency["name"] not in packages:
                users = used.setdefault(dependency["name"], set())
                users |= {crate} if dependency["kind"] != "dev" else set()
    for name in sorted(used.keys() - known.keys()):
        yield f"{name}: no row among the libraries of the table says what it is for, and why this one"
    for name in sorted(known.keys() - used.keys()):
        yield f"{name}: no crate uses it: take it out of the table"
    for name in sorted(used.keys() & known.keys()):
        for crate in sorted(used[name] - set(known[name].only)) if known[name].only else ():
            yield f"{crate} must not use {name}"


def modules(part: Part, graph: Graph) -> Iterator[str]:
    """Compare what the modules of a crate or package use with its layers."""
    if not part.layers:
        return
    level: dict[str, int] = {}
    unit: dict[str, str] = {}
    for number, layer in enumerate(part.layers):
        for names in layer:
            for name in names.split(", "):
                level[name], unit[name] = number, names
    found = set()
    for file in sorted(graph.nodes):
        user = module_of(file, level)
        found.add(user)
        if user is None:
            if not is_top(file):
                yield f"{part.name}: {file} is in no layer of the table"
            continue
        for used, taken in sorted(graph.edges.get(file, {}).items()):
            other = module_of(used, level)
            if other is None or unit[other] == unit[user] or level[other] < level[user]:
                continue
            shown = ", ".join(sorted(taken))
            yield f"{part.name}: {file} must not use {used} ({shown}): {other} is not below {user}"
        for used in sorted(graph.edges.get(file, {})):
            if is_top(used) and module_of(used, level) is None:
                yield f"{part.name}: {file} must not use {used}, which uses everything"
    for name in sorted(level.keys() - found):
        yield f"{part.name}: the table has a layer of {name}, which is no module"


def pure(part: Part) -> Iterator[str]:
    """Look for the crates of I/O, the database's client among them, in modules that must not name one."""
    named = re.compile(rf"\b({'|'.join(sorted(IO | {'kecoa'}))})::")
    for module in part.pure:
        source = part.folder / "src" / module
        files = [source.with_suffix(".rs"), *sorted(source.rglob("*.rs"))]
        for file in files:
            for found in sorted(set(named.findall(file.read_text(encoding="utf-8")))):
                yield f"{part.name}: {module} does no I/O, and {file.name} must not use {found}"


def module_of(file: str, level: dict[str, int]) -> str | None:
    """Return the narrowest module of the table that a file is of."""
    path = PurePosixPath(file).with_suffix("")
    if path.name in ("mod", "__init__") and len(path.parts) > 1:
        path = path.parent
    while path.parts and str(path) not in level:
        path = path.parent
    return str(path) if path.parts else None


def is_top(file: str) -> bool:
    """Return True for the root of a crate or package, which uses everything."""
    return file in ("lib.rs", "main.rs", "__init__.py")
