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
    # What runs with a module's import, which layers are about.
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
    count = natural = 0
    for read in graphs:
        circles = read.everything.cycles()
        count += len(circles)
        natural += len(read.part.natural)
        said += [line for circle in circles for line in shown(read.part, read.everything, circle)]
        wrong += complaints(read.part, circles)
    said.append(f"circles of imports: {count}, of which {natural} are natural")
    return said, wrong


def complaints(part: Part, circles: list[list[str]]) -> Iterator[str]:
    """Compare the circles of a part with those that may stay."""
    listed = [sorted(circle.files) for circle in part.natural]
    for files in circles:
        if files not in listed:
            yield (
                f"{part.name}: a circle of imports ties {', '.join(files)}: "
                "move what ties them into a file that imports nothing of them"
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
