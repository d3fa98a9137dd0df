"""tools/check_structure.py: the circles it finds, in small crates and packages made for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from structure import circles, layers, pages, python, render, rust
from structure.table import Library, Natural, Part, Table


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
    (new,) = circles.complaints(part(natural=[natural]), [["a.rs", "b.rs"], ["c.rs", "d.rs"]])
    assert "ties c.rs, d.rs" in new
    (gone,) = circles.complaints(part(natural=[natural]), [])
    assert "is gone" in gone


def test_modules_use_those_of_lower_layers(tmp_path):
    graph = crate(
        tmp_path,
        {
            "lib.rs": "mod low; mod high; mod other; pub struct Root; fn f(_: other::Other) {}",
            "low.rs": "mod deep; pub struct Low; fn f(_: crate::high::High) {}",
            "low/deep.rs": "fn f(_: crate::Root) {}",
            "high.rs": "pub struct High(crate::low::Low);",
            "other.rs": "pub struct Other;",
        },
    )
    layered = part(layers=[{"low": ""}, {"high, gone": ""}])
    assert list(layers.modules(layered, graph)) == [
        "name: low.rs must not use high.rs (High): high is not below low",
        "name: low/deep.rs must not use lib.rs, which uses everything",
        "name: other.rs is in no layer of the table",
        "name: the table has a layer of gone, which is no module",
    ]
    together = part(layers=[{"low, high": ""}, {"other": ""}])
    assert list(layers.modules(together, graph)) == [
        "name: low/deep.rs must not use lib.rs, which uses everything"
    ]
    narrower = part(layers=[{"low/deep": ""}, {"high": ""}, {"low": ""}, {"other": ""}])
    (upwards, _) = layers.modules(narrower, graph)
    assert upwards == "name: high.rs must not use low.rs (Low): low is not below high"


PACKAGES = {
    "ours": {"dependencies": [{"name": "theirs", "kind": None}, {"name": "base", "kind": None}]},
    "base": {"dependencies": [{"name": "tokio", "kind": None}, {"name": "checker", "kind": "dev"}]},
}


def test_crates_use_what_the_table_says():
    table = Table(
        [
            Part("ours", Path(), "", []),
            Part("base", Path(), "", ["ours"], io=False),
            Part("gone", Path(), ""),
        ],
        [],
        [Library(["tokio"], "", "", ["ours"], False), Library(["unused"], "", "", [], False)],
        {},
    )
    assert list(layers.crates(table, PACKAGES)) == [
        "gone: is no crate of the workspace",
        "base does no I/O, and must not use tokio",
        "base may use ours, and does not: take it out of the table",
        "ours must not use base",
    ]
    assert [complaint.partition(":")[0] for complaint in layers.libraries(table, PACKAGES)] == [
        "checker",
        "theirs",
        "unused",
        "base must not use tokio",
    ]


def test_what_is_made_from_the_table(tmp_path):
    table = Table(
        [
            Part("kecoa-low", tmp_path / "low", "the ground"),
            Part("kecoa-top", tmp_path / "top", "", ["kecoa-low"]),
        ],
        [],
        [Library(["tokio"], "waiting", "the field's standard", ["kecoa-top"], False)],
        {"openssl-sys": "no OpenSSL"},
    )
    assert list(render.bans(table)) == [
        "deny = [",
        '    { crate = "kecoa-low", wrappers = ["kecoa-top"] },',
        '    { crate = "tokio", wrappers = ["kecoa-top"] },',
        '    { crate = "openssl-sys", reason = "no OpenSSL" },',
        "]",
    ]
    assert list(render.crates(table, tmp_path))[2:] == [
        "| 2 | `kecoa-top` in `top` |  | `kecoa-low` |",
        "| 1 | `kecoa-low` in `low` | the ground | - |",
    ]
    (tmp_path / "deny.toml").write_text("[bans]\n")
    with pytest.raises(ValueError, match="has no place for bans"):
        list(render.rendered(table, tmp_path))


def test_files_that_a_page_names_are_there(tmp_path):
    page = tmp_path / "PAGE.md"
    page.write_text(
        "`tools/structure`, `structure/pages.py`, `pages.py`, `gone.rs` and `a/b`, not `cargo doc`."
    )
    root = Path(__file__).resolve().parent.parent
    assert list(pages.missing_files(page, root)) == [
        "PAGE.md names gone.rs, which is not there",
        "PAGE.md names a/b, which is not there",
    ]


def test_a_module_without_io_in_a_crate_that_has_some(tmp_path):
    folder = tmp_path / "src"
    (folder / "pure").mkdir(parents=True)
    (folder / "pure.rs").write_text("use kecoa_types::oid; mod inner;")
    (folder / "pure/inner.rs").write_text("fn f() { kecoa::connect(); tokio::spawn(g); }")
    part = Part("crate", tmp_path, "", pure=["pure"])
    assert list(layers.pure(part)) == [
        "crate: pure does no I/O, and inner.rs must not use kecoa",
        "crate: pure does no I/O, and inner.rs must not use tokio",
    ]
