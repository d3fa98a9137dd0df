"""tools/check_structure.py: the circles it finds, in small crates and packages made for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from structure import circles, python, rust
from structure.table import Natural, Part


def crate(folder, files):
    for name, text in files.items():
        (folder / "src" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "src" / name).write_text(text)
    return rust.graph(folder / "src/lib.rs", folder / "src")


def package(folder, files):
    for name, text in files.items():
        (folder / "pkg" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "pkg" / name).write_text(text)
    return python.graphs(folder / "pkg", folder / "pkg")


@pytest.mark.parametrize(
    "use_b",
    [
        "use crate::b::B; struct A(B);",
        "use super::b::B; struct A(B);",
        "use crate::{b::{self, B}}; struct A(B);",
        "use crate::b; struct A(b::B);",
        "use crate::b as other; struct A(other::B);",
        "use crate::b::*; struct A(B);",
        "use crate::b::B as Renamed; struct A(Renamed);",
        "struct A(crate::b::B);",
        "struct A; impl A { fn of() -> u8 { super::b::B::new().0 } }",
        "struct A; fn f() { use crate::b::B; let _ = B::new(); }",
        'struct A; fn f() { let _ = "{"; let c = \'"\'; /* { */ let _: crate::b::B; }',
    ],
)
def test_a_circle_of_two_files(tmp_path, use_b):
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod b;",
            "a.rs": use_b,
            "b.rs": "use crate::a::A; pub struct B(pub A); impl B { pub fn new() -> B { B(A) } }",
        },
    )
    assert graph.cycles() == [["a.rs", "b.rs"]]
    assert "B" in graph.edges["a.rs"]["b.rs"]
    assert graph.edges["b.rs"]["a.rs"] == {"A"}


def test_a_re_export_is_followed_to_the_definition(tmp_path):
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod inner;",
            "a.rs": "use crate::inner::Thing; pub struct A(Thing);",
            "inner/mod.rs": "mod deep; pub use deep::Thing;",
            "inner/deep.rs": "use crate::a::A; pub struct Thing(Box<A>);",
        },
    )
    assert graph.cycles() == [["a.rs", "inner/deep.rs"]]


def test_to_hand_a_name_on_is_no_use_of_it(tmp_path):
    files = {
        "lib.rs": "mod parent;",
        "parent.rs": "mod child; pub use child::Child; pub struct Parent;",
        "parent/child.rs": "use super::Parent; pub struct Child(Parent);",
    }
    assert crate(tmp_path, files).cycles() == []
    files["parent.rs"] += " impl Parent { fn child(self) -> Child { Child(self) } }"
    assert crate(tmp_path, files).cycles() == [["parent.rs", "parent/child.rs"]]


def test_no_circle(tmp_path):
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod b; mod c; pub use c::C;",
            "a.rs": "pub struct A; pub enum Kind { C, B }",
            "b.rs": "use crate::a::{A, Kind}; pub struct B(A, Kind);",
            "c.rs": "use crate::a::A; use crate::b::B; pub struct C(A, B); mod inline { pub fn f() { super::g() } }"
            " fn g() { std::mem::drop(1..2) }",
        },
    )
    assert graph.cycles() == []
    assert graph.edges["b.rs"] == {"a.rs": {"A", "Kind"}}


def test_code_for_tests_does_not_count(tmp_path):
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod a; mod b; #[cfg(test)] mod test_only;",
            "a.rs": "pub struct A; #[cfg(test)] mod tests { use crate::b::B; fn f(_: B) {} }",
            "b.rs": "use crate::a::A; pub struct B(A);",
        },
    )
    assert graph.cycles() == []


def test_a_module_that_the_build_chooses_has_two_files(tmp_path):
    graph = crate(
        tmp_path,
        {
            "lib.rs": '#[cfg(feature = "x")] mod spans; #[cfg(not(feature = "x"))] #[path = "noop.rs"] mod spans;'
            " mod a;",
            "spans.rs": "use crate::a::A; pub fn span(_: A) {}",
            "noop.rs": "pub fn span(_: u8) {}",
            "a.rs": "pub struct A; fn f() { crate::spans::span(A) }",
        },
    )
    assert graph.cycles() == [["a.rs", "spans.rs"]]
    assert set(graph.edges["a.rs"]) == {"noop.rs", "spans.rs"}


def test_a_larger_circle_is_one(tmp_path):
    ring = {f"m{n}.rs": f"use crate::m{(n + 1) % 4}::T{(n + 1) % 4}; pub struct T{n};" for n in range(4)}
    graph = crate(tmp_path, {"lib.rs": "mod m0; mod m1; mod m2; mod m3;", **ring})
    assert graph.cycles() == [["m0.rs", "m1.rs", "m2.rs", "m3.rs"]]


def test_python_modules(tmp_path):
    early, everything = package(
        tmp_path,
        {
            "__init__.py": "from pkg import _native\nfrom pkg.a import A\nfrom pkg import b",
            "_native.pyi": "",
            "a.py": "from pkg import _native\nfrom pkg.b import B\nclass A: ...",
            "b.py": "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from pkg.a import A\nclass B: ...\n"
            "def later():\n    from .a import A\n    return A",
        },
    )
    assert early.cycles() == []
    assert everything.cycles() == [["a.py", "b.py"]]


def test_a_circle_of_python_modules(tmp_path):
    early, _ = package(
        tmp_path,
        {
            "__init__.py": "from . import a",
            "a.py": "from pkg import b",
            "b.py": "from pkg import VERSION",
        },
    )
    assert early.cycles() == [["__init__.py", "a.py", "b.py"]]


def part(**values):
    return Part("name", Path(), "", **values)


def test_only_listed_circles_pass():
    natural = Natural(["b.rs", "a.rs"], "a transaction borrows its client")
    assert list(circles.complaints(part(natural=[natural]), [["a.rs", "b.rs"]])) == []
    assert list(circles.complaints(part(still_open=2), [["a.rs", "b.rs"]])) == []
    (new,) = circles.complaints(part(natural=[natural], still_open=1), [["a.rs", "b.rs"], ["c.rs", "d.rs"]])
    assert "2 files" in new
    (gone,) = circles.complaints(part(natural=[natural]), [])
    assert "is gone" in gone
