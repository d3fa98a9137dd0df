"""Which module of a Python package imports which other.

Two graphs: what runs when a module is imported, which layers are about; and that with the imports within
functions, which come later, for circles. What only type checkers see is left out.
A name that a package hands on ties to the package, not to where the name comes from: importing runs it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .graph import Graph


def graphs(package: Path, base: Path) -> tuple[Graph, Graph]:
    """Return the imports that run with the module, and all imports; files are named from `base` on."""
    files = {module_name(file, package): file for file in sorted(package.rglob("*.py"))}
    # Extension modules, which have a stub, import nothing of the package.
    stubs = {module_name(file, package): file for file in sorted(package.rglob("*.pyi"))}
    shown = {name: str(file.relative_to(base)) for name, file in files.items()}
    early, all_imports = Graph(set(shown.values())), Graph(set(shown.values()))
    for name, file in files.items():
        for deferred, module, wanted in imports(ast.parse(file.read_text(encoding="utf-8")), name, file):
            longer = f"{module}.{wanted}"
            target = longer if longer in files or longer in stubs else module
            while target and target not in files and target not in stubs:
                target = target.rpartition(".")[0]
            if target not in files:
                continue
            for graph in (all_imports,) if deferred else (early, all_imports):
                graph.tie(shown[name], shown[target], wanted or module)
    return early, all_imports


def module_name(file: Path, package: Path) -> str:
    parts = [package.name, *file.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(
    tree: ast.AST, module: str, file: Path, deferred: bool = False
) -> Iterator[tuple[bool, str, str]]:
    """Yield whether an import runs later, the module it names, and the name that it takes from there."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield deferred, alias.name, ""
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                here = module.split(".")
                kept = len(here) - node.level + (file.name == "__init__.py")
                source = ".".join([*here[:kept], *([source] if source else [])])
            for alias in node.names:
                yield deferred, source, alias.name
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield from imports(ast.Module([other], []), module, file, deferred)
        else:
            inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports(node, module, file, deferred or inside)
