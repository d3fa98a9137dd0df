#!/usr/bin/env python3
"""Check what would be published: each crate has what a registry and its readers ask for, and nothing else.

usage: check_packages.py [--list]

A crate is published unless its manifest says `publish = false`. Nothing is built and the network is not used:
`cargo package --list` says which files a crate would have. --list prints them, with their sizes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LICENSES = ("LICENSE-MIT", "LICENSE-APACHE")
FIELDS = ("description", "license", "rust_version", "keywords", "categories")
# What cargo itself puts in, and what ours may have.
CARGO = {"Cargo.toml", "Cargo.toml.orig", "Cargo.lock", ".cargo_vcs_info.json"}
ALLOWED = re.compile(r"(src|examples)/.+|README\.md|LICENSE-(MIT|APACHE)")
INCLUDED = re.compile(r'include_(?:str|bytes)!\(\s*"([^"]+)"')


@dataclass
class Package:
    """A crate of the workspace, as `cargo metadata` describes it, and the files it is published with."""

    metadata: dict[str, Any]
    files: list[str]

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def folder(self) -> Path:
        return Path(self.metadata["manifest_path"]).parent


def is_published(metadata: dict[str, Any]) -> bool:
    """Return True unless the manifest says `publish = false`."""
    return metadata["publish"] is None


def cargo(*arguments: str) -> str:
    command = ["cargo", *arguments, "--offline", "--locked"]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def packages() -> tuple[list[Package], set[str]]:
    """Return the crates that are published, and the names of all crates."""
    every = json.loads(cargo("metadata", "--no-deps", "--format-version", "1"))["packages"]
    found = []
    for metadata in filter(is_published, every):
        listed = cargo("package", "--list", "--allow-dirty", "--quiet", "--package", metadata["name"])
        found.append(Package(metadata, listed.replace("\\", "/").splitlines()))
    return found, {metadata["name"] for metadata in every}


def complaints(published: list[Package], ours: set[str]) -> Iterator[str]:
    """Say what is wrong with the packages."""
    names = {package.name for package in published}
    for package in published:
        for what in (
            *fields(package),
            *dependencies(package, names, ours),
            *unwanted(package),
            *missing(package),
        ):
            yield f"{package.name}: {what}"


def fields(package: Package) -> Iterator[str]:
    for field in FIELDS:
        if not package.metadata[field]:
            yield f"expected `{field.replace('_', '-')}` in Cargo.toml, found none"
    expected = f"https://docs.rs/{package.name}"
    if package.metadata["documentation"] != expected:
        yield f'expected `documentation = "{expected}"`, found {package.metadata["documentation"]!r}'
    if package.metadata["readme"] != "README.md":
        yield f'expected `readme = "README.md"`, found {package.metadata["readme"]!r}'


def dependencies(package: Package, published: set[str], ours: set[str]) -> Iterator[str]:
    """A published crate needs published ones; what only tests need may be unpublished, without a version."""
    for dependency in package.metadata["dependencies"]:
        name, version = dependency["name"], dependency["req"]
        if name not in ours:
            continue
        if dependency["kind"] == "dev":
            if name not in published and version != "*":
                yield f"its tests use {name}, which is not published: name it without a version"
        elif name not in published:
            yield f"it uses {name}, which is not published"
        elif version != f"^{package.metadata['version']}":
            yield f"expected {name} {package.metadata['version']}, found {version!r}"


def unwanted(package: Package) -> Iterator[str]:
    for file in package.files:
        if file not in CARGO and not ALLOWED.fullmatch(file):
            yield f"{file} would be published; `include` in Cargo.toml says what is"


def missing(package: Package) -> Iterator[str]:
    listed = set(package.files)
    for name in ("README.md", *LICENSES):
        if name not in listed:
            yield f"expected {name} among its files, found none"
    for name in LICENSES:
        if name in listed and (package.folder / name).read_bytes() != (ROOT / name).read_bytes():
            yield f"{name} is not the repository's"
    for file, wanted in included(package):
        if wanted not in listed:
            yield f"{file} includes {wanted}, which is not among its files"


def included(package: Package) -> Iterator[tuple[str, str]]:
    """Yield files of Rust and what they include, both from the crate's folder."""
    for file in package.files:
        if not file.startswith("src/") or not file.endswith(".rs") or re.search(r"\btests?\b", file):
            continue
        path = package.folder / file
        for target in INCLUDED.findall(path.read_text(encoding="utf-8")):
            wanted = (path.parent / target).resolve()
            inside = wanted.is_relative_to(package.folder.resolve())
            yield file, wanted.relative_to(package.folder.resolve()).as_posix() if inside else target


def show(published: Iterable[Package]) -> None:
    for package in published:
        paths = [package.folder / file for file in package.files]
        sizes = [path.stat().st_size for path in paths if path.exists()]
        print(f"{package.name}: {len(paths)} files, {sum(sizes) // 1024} KiB")
        for file in package.files:
            print(f"    {file}")


def main() -> int:
    published, ours = packages()
    if sys.argv[1:] == ["--list"]:
        show(published)
    wrong = list(complaints(published, ours))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
