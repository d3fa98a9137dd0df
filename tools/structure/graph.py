"""Which file takes which names from which, and the circles among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Graph:
    """Files of one crate or package, by their names, and what ties them."""

    nodes: set[str] = field(default_factory=set)
    edges: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def tie(self, user: str, used: str, name: str) -> None:
        """Note that `user` takes `name` from `used`."""
        self.nodes |= {user, used}
        if user != used:
            self.edges.setdefault(user, {}).setdefault(used, set()).add(name)

    def cycles(self) -> list[list[str]]:
        """Return the strongly connected components of more than one file, each sorted, in a fixed order."""
        return sorted(sorted(members) for members in components(self.nodes, self.edges) if len(members) > 1)


def components(nodes: Iterable[str], edges: dict[str, dict[str, set[str]]]) -> list[list[str]]:
    """Tarjan's algorithm, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    stacked: set[str] = set()
    found: list[list[str]] = []
    for root in sorted(nodes):
        if root in index:
            continue
        work = [(root, iter(sorted(edges.get(root, ()))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        stacked.add(root)
        while work:
            node, rest = work[-1]
            for follower in rest:
                if follower not in index:
                    index[follower] = low[follower] = len(index)
                    stack.append(follower)
                    stacked.add(follower)
                    work.append((follower, iter(sorted(edges.get(follower, ())))))
                    break
                if follower in stacked:
                    low[node] = min(low[node], index[follower])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members: list[str] = []
                    while not members or members[-1] != node:
                        members.append(stack.pop())
                        stacked.discard(members[-1])
                    found.append(members)
    return found
