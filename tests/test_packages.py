"""What is published: tools/check_packages.py, tools/build_wheels.py, and the workflow that uses them."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import build_wheels
import check_packages
from check_packages import ROOT, Package, complaints

FILES = [
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "src/lib.rs",
    "src/tree/roles.sql",
]
OURS = {"kecoa-good", "kecoa-sql", "kecoa-pgmock"}


def dependency(name: str, req: str, kind: str | None = None) -> dict[str, Any]:
    return {"name": name, "req": req, "kind": kind}


@pytest.fixture
def good(tmp_path: Path) -> Package:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text('const ROLES: &str = include_str!("tree/roles.sql");\n')
    for name in check_packages.LICENSES:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    metadata: dict[str, Any] = {
        "name": "kecoa-good",
        "version": "0.1.0",
        "manifest_path": str(tmp_path / "Cargo.toml"),
        "publish": None,
        "description": "A crate",
        "license": "MIT OR Apache-2.0",
        "rust_version": "1.90",
        "keywords": ["database"],
        "categories": ["database"],
        "documentation": "https://docs.rs/kecoa-good",
        "readme": "README.md",
        "dependencies": [
            dependency("memchr", "^2.8"),
            dependency("kecoa-sql", "^0.1.0"),
            dependency("kecoa-pgmock", "*", "dev"),
        ],
    }
    return Package(metadata, list(FILES))


def said(package: Package) -> list[str]:
    sql = Package(
        {**package.metadata, "name": "kecoa-sql", "documentation": "https://docs.rs/kecoa-sql"}, FILES
    )
    return [line for line in complaints([package, sql], OURS) if line.startswith("kecoa-good: ")]


def test_nothing_is_said_of_a_complete_crate(good: Package) -> None:
    assert said(good) == []


@pytest.mark.parametrize("field", check_packages.FIELDS)
def test_fields(good: Package, field: str) -> None:
    good.metadata[field] = None
    (line,) = said(good)
    assert line == f"kecoa-good: expected `{field.replace('_', '-')}` in Cargo.toml, found none"


@pytest.mark.parametrize("field", ["documentation", "readme"])
def test_fields_with_one_right_value(good: Package, field: str) -> None:
    good.metadata[field] = "elsewhere"
    (line,) = said(good)
    assert line.endswith("found 'elsewhere'")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (dependency("kecoa-pgmock", "^0.1.0", "dev"), "name it without a version"),
        (dependency("kecoa-pgmock", "*"), "it uses kecoa-pgmock, which is not published"),
        (dependency("kecoa-sql", "*"), "expected kecoa-sql 0.1.0, found '*'"),
        (dependency("kecoa-sql", "^0.0.9"), "expected kecoa-sql 0.1.0, found '^0.0.9'"),
    ],
)
def test_dependencies(good: Package, wrong: dict[str, Any], expected: str) -> None:
    good.metadata["dependencies"] = [wrong]
    (line,) = said(good)
    assert expected in line


@pytest.mark.parametrize("file", ["tests/cli.rs", "notes.txt", "src.zip", ".env", "fuzz/Cargo.toml"])
def test_files_that_do_not_belong(good: Package, file: str) -> None:
    good.files.append(file)
    (line,) = said(good)
    assert line.startswith(f"kecoa-good: {file} would be published")


@pytest.mark.parametrize("file", ["README.md", "LICENSE-MIT", "LICENSE-APACHE"])
def test_files_that_must_be_there(good: Package, file: str) -> None:
    good.files.remove(file)
    assert said(good) == [f"kecoa-good: expected {file} among its files, found none"]


def test_a_license_that_is_another(good: Package) -> None:
    (good.folder / "LICENSE-MIT").write_text("Do what you like.\n")
    assert said(good) == ["kecoa-good: LICENSE-MIT is not the repository's"]


def test_included_text_that_would_not_be_there(good: Package) -> None:
    good.files.remove("src/tree/roles.sql")
    assert said(good) == ["kecoa-good: src/lib.rs includes src/tree/roles.sql, which is not among its files"]


def test_included_text_outside_of_the_crate(good: Package) -> None:
    (good.folder / "src/lib.rs").write_text('const PAGE: &str = include_str!("../../docs/page.md");\n')
    assert said(good) == ["kecoa-good: src/lib.rs includes ../../docs/page.md, which is not among its files"]


def test_what_is_here_is_complete() -> None:
    published, ours = check_packages.packages()
    assert {"kecoa", "kecoa-cli", "kecoa-proto"} <= {package.name for package in published}
    assert ours - {package.name for package in published} == {"kecoa-pgmock", "kecoa-pty", "kecoa-py"}
    assert list(complaints(published, ours)) == []


WORKFLOWS = {
    path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")
}


def test_the_workflow_builds_what_the_tool_knows() -> None:
    named = re.findall(r"- platform: (\S+)\n\s+target: (\S+)", WORKFLOWS["release"])
    assert named == [(name, platform.target) for name, platform in build_wheels.PLATFORMS.items()]


def test_the_workflow_has_every_supported_python() -> None:
    supported = build_wheels.supported_pythons()
    assert supported
    lists = re.findall(r"python-version: \|\n((?:\s+3\.\d+\n)+)", WORKFLOWS["release"])
    assert [sorted(found.split(), key=minor) for found in lists] == [supported, supported]
    tried = re.findall(r"python: \[(.+)\]", WORKFLOWS["release"])
    assert [re.findall(r"3\.\d+", found) for found in tried] == [supported, supported]
    (interpreters,) = re.findall(r"--interpreter (.+)", WORKFLOWS["release"])
    assert interpreters.split() == [f"python{version}" for version in supported]


@pytest.mark.parametrize("name", ["ci", "release", "RELEASING.md"])
def test_what_is_called_is_there(name: str) -> None:
    text = WORKFLOWS.get(name) or (ROOT / name).read_text(encoding="utf-8")
    files = set(re.findall(r"(?:tools|\.ci|\.github|docs|shims)/[\w./-]*\w|requirements-\w+\.txt", text))
    assert files
    assert {file for file in files if not (ROOT / file).exists()} == set()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    called = {word for found in re.findall(r"make ((?:[a-z]+ ?)+)", text) for word in found.split()}
    assert called - targets == set()


def test_options_of_what_is_called_are_there() -> None:
    called = set(re.findall(r"(tools/\w+\.py) ([^\n]*)", "\n".join(WORKFLOWS.values())))
    called |= {
        ("tools/build_wheels.py", given) for given in re.findall(r"WHEELS_FLAGS=(.+)", WORKFLOWS["release"])
    }
    options = {(tool, option) for tool, given in called for option in re.findall(r"--[a-z-]+", given)}
    assert len(options) >= 3
    for tool, option in options:
        assert f'"{option}"' in (ROOT / tool).read_text(encoding="utf-8"), (tool, option)


def test_the_crates_that_are_checked_on_windows_are_there() -> None:
    named = set(re.findall(r"-p ([\w-]+)", WORKFLOWS["ci"]))
    assert named
    assert named <= {package.name for package in check_packages.packages()[0]}


def minor(version: str) -> int:
    return int(version.partition(".")[2])


@pytest.mark.parametrize("name", ["ci", "release"])
def test_actions_are_pinned_and_tokens_are_not_kept(name: str) -> None:
    actions = re.findall(r"uses: (\S+)", WORKFLOWS[name])
    assert actions
    assert all(re.fullmatch(r"[\w./-]+@(v\d+(\.\d+\.\d+)?|[0-9a-f]{40})", action) for action in actions)
    checkouts = [action for action in actions if action.startswith("actions/checkout@")]
    assert WORKFLOWS[name].count("persist-credentials: false") == len(checkouts)
    assert "secrets." not in WORKFLOWS[name]


def test_one_version_of_the_builder() -> None:
    """Wheels of a release are made by what the tests' wheels are made by."""
    pins = [
        re.findall(r"^maturin==.+$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        for name in ("requirements-dev.txt", "requirements-wheels.txt")
    ]
    assert len(pins[0]) == 1
    assert pins[0] == pins[1]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("manylinux2014", (2, 17)),
        ("manylinux2014_x86_64", (2, 17)),
        ("manylinux_2_5_x86_64", (2, 5)),
        ("manylinux_2_35_aarch64", (2, 35)),
        ("musllinux_1_2", (1, 2)),
    ],
)
def test_versions_of_c_libraries(tag: str, expected: tuple[int, int]) -> None:
    assert build_wheels.version(tag) == expected


def test_a_tag_without_a_c_library() -> None:
    with pytest.raises(build_wheels.BuildError, match="found linux_x86_64"):
        build_wheels.version("linux_x86_64")
