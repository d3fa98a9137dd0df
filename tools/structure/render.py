"""Writes what is made from the table: the bans in deny.toml, and the tables in ARCHITECTURE.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .table import Part, Table


def rendered(table: Table, root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file that holds something made from the table, and the text it should have."""
    for name, comment, parts in (
        ("deny.toml", ("# ", ""), {"bans": bans(table)}),
        (
            "ARCHITECTURE.md",
            ("<!-- ", " -->"),
            {"crates": crates(table, root), "modules": modules(table), "libraries": libraries(table)},
        ),
    ):
        text = (root / name).read_text(encoding="utf-8")
        for key, lines in parts.items():
            begin = f"{comment[0]}{key}, from tools/dependencies.toml: begin{comment[1]}\n"
            end = f"{comment[0]}{key}: end{comment[1]}\n"
            if begin not in text or end not in text:
                raise ValueError(f"{name} has no place for {key}: expected the line {begin!r}, and {end!r}")
            before, _, rest = text.partition(begin)
            text = before + begin + "".join(f"{line}\n" for line in lines) + end + rest.partition(end)[2]
        yield root / name, text


def bans(table: Table) -> Iterator[str]:
    yield "deny = ["
    for part in table.crates:
        users = [other.name for other in table.crates if part.name in other.uses]
        if users:
            yield f'    {{ crate = "{part.name}", wrappers = {listed(users)} }},'
    for library in table.libraries:
        if library.only:
            for name in library.names:
                yield f'    {{ crate = "{name}", wrappers = {listed(library.only)} }},'
    for name, reason in table.banned.items():
        yield f'    {{ crate = "{name}", reason = "{reason}" }},'
    yield "]"


def listed(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def crates(table: Table, root: Path) -> Iterator[str]:
    parts = [*table.crates, *table.packages]
    level: dict[str, int] = {}
    for part in parts:
        height(part, table, level)
    yield "| layer | crate or package | what it is | may use |"
    yield "|---|---|---|---|"
    for part in sorted(parts, key=lambda part: -level[key(part, table)]):
        uses = ", ".join(f"`{name}`" for name in part.uses) or "-"
        folder = part.folder.relative_to(root).as_posix()
        shown = f"`{folder}`" if folder.endswith(part.name) else f"`{part.name}` in `{folder}`"
        yield f"| {level[key(part, table)]} | {shown} | {part.about} | {uses} |"


def key(part: Part, table: Table) -> str:
    """Return a name that no other part has: a package may be called as a crate is."""
    return f"package {part.name}" if part in table.packages else part.name


def height(part: Part, table: Table, level: dict[str, int]) -> int:
    """Return how many layers of crates are under a part, itself counted."""
    if key(part, table) not in level:
        used = [other for other in table.crates if other.name in part.uses]
        level[key(part, table)] = 1 + max((height(other, table, level) for other in used), default=0)
    return level[key(part, table)]


def modules(table: Table) -> Iterator[str]:
    for part in [*table.crates, *table.packages]:
        if part.layers and part.drawn:
            kind = "the Python package" if part in table.packages else "the crate"
            yield from of_part(part, kind)


def of_part(part: Part, kind: str) -> Iterator[str]:
    yield ""
    yield f"Layers of {kind} `{part.name}`, the highest first:"
    yield ""
    yield "| | modules of the layer |"
    yield "|---|---|"
    for number, layer in reversed(list(enumerate(part.layers, start=1))):
        shown = [
            ", ".join(f"`{name}`" for name in names.split(", ")) + f": {about}"
            for names, about in layer.items()
        ]
        yield f"| {number} | {' · '.join(shown)} |"


def libraries(table: Table) -> Iterator[str]:
    yield "| library | for | why this one |"
    yield "|---|---|---|"
    for library in table.libraries:
        names = ", ".join(f"`{name}`" if library.pypi else name for name in library.names)
        yield f"| {'PyPI ' if library.pypi else ''}{names} | {library.purpose} | {library.reason} |"
