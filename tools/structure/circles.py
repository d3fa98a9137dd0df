"""Counts the circles of imports among the files of each crate and of the Python package."""

from __future__ import annotations

from collections.abc import Iterator

from . import python, rust
from .graph import Graph
from .table import Part, Table


def of_crate(part: Part) -> Graph:
    return rust.graph(part.folder / "src/lib.rs", part.folder / "src")


def of_package(part: Part) -> tuple[Graph, Graph]:
    return python.graphs(part.folder, part.folder)


def check(table: Table) -> tuple[list[str], list[str]]:
    """Return what to say about circles, and what is wrong."""
    said: list[str] = []
    wrong: list[str] = []
    count = natural = 0
    for part in table.crates:
        graph = of_crate(part)
        circles = graph.cycles()
        count += len(circles)
        natural += len(part.natural)
        said += [line for circle in circles for line in shown(part, graph, circle)]
        wrong += complaints(part, circles)
    late = 0
    for part in table.packages:
        early, everything = of_package(part)
        circles = early.cycles()
        count += len(circles)
        natural += len(part.natural)
        late += len(everything.cycles())
        said += [line for circle in circles for line in shown(part, early, circle)]
        wrong += complaints(part, circles)
    said.append(
        f"circles of imports: {count}, of which {natural} are natural; "
        f"in Python {late} by imports within functions, which run later"
    )
    return said, wrong


def complaints(part: Part, circles: list[list[str]]) -> Iterator[str]:
    """Compare the circles of a part with those that may stay."""
    listed = [sorted(circle.files) for circle in part.natural]
    new = [circle for circle in circles if circle not in listed]
    knotted = sum(map(len, new))
    if knotted > part.still_open:
        yield (
            f"{part.name}: {knotted} files are in circles of imports that the table does not list"
            + (f", where {part.still_open} were" if part.still_open else "")
            + ": move what ties them into a file that imports nothing of them"
        )
    for files in listed:
        if files not in circles:
            yield f"{part.name}: the circle of {', '.join(files)} is gone: take it out of the table"


def shown(part: Part, graph: Graph, circle: list[str]) -> Iterator[str]:
    """Describe a circle: its files, and the names that tie them."""
    reason = next((n.reason for n in part.natural if sorted(n.files) == circle), None)
    yield f"{part.name}: {', '.join(circle)}" + (f" (natural: {reason})" if reason else "")
    for user in circle:
        for used, names in sorted(graph.edges.get(user, {}).items()):
            if used in circle:
                yield f"    {user} takes from {used}: {', '.join(sorted(names))}"
