"""Counts the circles of imports among the files of each crate and of the Python package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import python, rust
from .graph import Graph
from .table import Part, Table


@dataclass
class Read:
    """A crate or package, and who takes what from whom in it."""

    part: Part
    graph: Graph
    # With what is imported within functions, in Python.
    everything: Graph


def read(table: Table) -> list[Read]:
    found = []
    for part in table.crates:
        graph = rust.graph(part.folder / "src/lib.rs", part.folder / "src")
        found.append(Read(part, graph, graph))
    for part in table.packages:
        found.append(Read(part, *python.graphs(part.folder, part.folder)))
    return found


def check(graphs: list[Read]) -> tuple[list[str], list[str]]:
    """Return what to say about circles, and what is wrong."""
    said: list[str] = []
    wrong: list[str] = []
    count = natural = late = 0
    for read in graphs:
        circles = read.graph.cycles()
        count += len(circles)
        natural += len(read.part.natural)
        late += len(read.everything.cycles()) - len(circles)
        said += [line for circle in circles for line in shown(read.part, read.graph, circle)]
        wrong += complaints(read.part, circles)
    said.append(
        f"circles of imports: {count}, of which {natural} are natural; "
        f"beside them {late} in Python by imports within functions, which run later"
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
