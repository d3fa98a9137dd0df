"""kecoa's surface beside psycopg2's: every name, class, base, attribute, signature and constant.

`surface.json` describes psycopg2 2.9.13. What differs and stays so is in `differences.py`.
"""

from __future__ import annotations

import inspect
import json
from collections import Counter
from pathlib import Path

import psycopg2
import pytest

import kecoa
from tests.parity import introspection
from tests.parity.differences import DIFFERENCES

SURFACE = json.loads((Path(__file__).parent / "surface.json").read_text("utf-8"))
OURS = introspection.modules("kecoa")
THEIRS = introspection.modules("psycopg2")

# The words of surface.json for what is the same to who uses it: written in C or in Python.
MODULE_KINDS = {"type": "typecaster", "builtin": "function", "const": "constant"}
MEMBER_KINDS = {
    "slot": "method",
    "method(py)": "method",
    "attr(member)": "attribute",
    "attr(getset)": "attribute",
    "property(py)": "attribute",
}
PACKAGES = ("psycopg2", "kecoa")

# psycopg2._psycopg has these, and surface.json lists them as psycopg2.extensions' by their __module__.
REPLICATION = ("ReplicationConnection", "ReplicationCursor", "ReplicationMessage")

compared: Counter[str] = Counter()


def split(qualified):
    """A class's or function's module and name, where they are to be found."""
    module, _, name = qualified.rpartition(".")
    return ("psycopg2._psycopg" if name in REPLICATION and module == "psycopg2.extensions" else module), name


def public_names():
    for module, described in SURFACE["modules"].items():
        for name, kind in described["public"].items():
            compared["names"] += 1
            expected = MODULE_KINDS.get(kind, kind)
            if (module, name) == ("psycopg2._ipaddress", "ipaddress"):
                expected = introspection.kind(OURS[module].ipaddress)  # None until it is first needed
            if not hasattr(OURS[module], name):
                yield f"{module}: no {name}"
            elif (found := introspection.kind(getattr(OURS[module], name))) != expected:
                yield f"{module}.{name}: {expected}, ours {found}"
        for name in described["private"] + described["foreign_imports"] + described["dunder_extra"]:
            compared["names"] += 1
            if not hasattr(OURS[module], name):
                yield f"{module}: no {name}"


def bases_and_members():
    for qualified, described in SURFACE["classes"].items():
        module, name = split(qualified)
        ours = getattr(OURS[module], name, None)
        if ours is None:
            yield f"{qualified}: missing"
            continue
        compared["classes"] += 1
        mro = [introspection.qualified(base) for base in ours.__mro__]
        if mro[0] != qualified:
            yield f"{qualified}: ours is {mro[0]}"
        if mro[1:] != described["bases"]:
            yield f"{qualified}: {described['bases']}, ours {mro[1:]}"
        members = introspection.members(ours)
        for member, kind in described["members"].items():
            compared["members"] += 1
            expected = MEMBER_KINDS.get(kind, kind)
            if member in ("__repr__", "__str__") and member not in members:
                continue  # object's own, which shows the other one
            if member not in members and not hasattr(ours, member):
                # BaseException.add_note and object.__getstate__ came with Python 3.11.
                if hasattr(getattr(THEIRS[module], name), member):
                    yield f"{qualified}: no {member}"
            elif members.get(member, "method") != expected:
                yield f"{qualified}.{member}: {expected}, ours {members[member]}"
        if described["doc"] and not ours.__doc__:
            yield f"{qualified}: no docstring"


def signatures():
    shown = {name: described.get("signature") for name, described in SURFACE["classes"].items()}
    shown.update(SURFACE["functions"])
    for qualified, expected in shown.items():
        module, name = split(qualified)
        # Those of C functions are words in a docstring; test_arguments_by_name calls them.
        if expected is None or not expected.startswith("(") or not hasattr(OURS[module], name):
            continue
        compared["signatures"] += 1
        found = introspection.signature(getattr(OURS[module], name))
        if found != expected:
            yield f"{qualified}: {expected}, ours {found}"


def constants():
    for module, described in SURFACE["const"].items():
        for name, expected in described.items():
            compared["constants"] += 1
            if getattr(OURS[module], name, None) != expected:
                yield f"{module}.{name}: {expected!r}, ours {getattr(OURS[module], name, None)!r}"
    for name in dir(THEIRS["psycopg2.errorcodes"]):
        if name.isupper():
            compared["constants"] += 1
            ours = getattr(OURS["psycopg2.errorcodes"], name, None)
            if ours != getattr(THEIRS["psycopg2.errorcodes"], name):
                yield f"psycopg2.errorcodes.{name}: ours {ours!r}"


def errors():
    for name, bases in SURFACE["error_hierarchy"].items():
        compared["errors"] += 1
        ours = getattr(OURS["psycopg2.errors"], name, None)
        found = [base.__name__ for base in ours.__bases__] if ours else None
        if found != bases:
            yield f"psycopg2.errors.{name}: {bases}, ours {found}"


def registries():
    extensions = OURS["psycopg2.extensions"]
    for encoding, codec in SURFACE["encodings"].items():
        compared["encodings"] += 1
        if extensions.encodings.get(encoding) != codec:
            yield f"encodings[{encoding!r}]: {codec}, ours {extensions.encodings.get(encoding)}"
    types = {str(oid): caster.name for oid, caster in extensions.string_types.items()}
    for oid, name in SURFACE["string_types"].items():
        compared["typecasters"] += 1
        if types.get(oid) != name:
            yield f"string_types[{oid}]: {name}, ours {types.get(oid)}"
    adapters = {introspection.qualified(kind) for kind, _ in extensions.adapters}
    for kind in SURFACE["adapters"]:
        compared["adapters"] += 1
        if kind not in adapters:
            yield f"adapters: none for {kind}"


FINDERS = (public_names, bases_and_members, signatures, constants, errors, registries)


@pytest.fixture(scope="module")
def findings():
    compared.clear()
    return [finding for finder in FINDERS for finding in finder()]


def test_nothing_differs_but_what_has_a_reason(findings):
    registered = [finding for difference in DIFFERENCES for finding in difference.findings]
    assert sorted(findings) == sorted(registered)


def test_what_was_compared(findings, record_property):
    for what, count in compared.items():
        record_property(what, count)
    print(", ".join(f"{count} {what}" for what, count in compared.items()))
    # So many psycopg2 has; none may be left out.
    assert compared["names"] == sum(
        len(module["public"])
        + len(module["private"])
        + len(module["foreign_imports"])
        + len(module["dunder_extra"])
        for module in SURFACE["modules"].values()
    )
    assert compared["classes"] == len(SURFACE["classes"]) == 63
    assert compared["members"] > 1200
    assert compared["signatures"] >= 50


def test_the_description_is_psycopg2s():
    """The yardstick is measured too: what is installed has every name of it."""
    if psycopg2.__version__.split()[0] != SURFACE["version"].split()[0]:
        pytest.fail(f"expected psycopg2 {SURFACE['version']} beside kecoa, found {psycopg2.__version__}")
    for module, described in SURFACE["modules"].items():
        for name in described["public"]:
            assert hasattr(THEIRS[module], name)
    for qualified, described in SURFACE["classes"].items():
        module, name = split(qualified)
        theirs = getattr(THEIRS[module], name)
        assert [f"{base.__module__}.{base.__name__}" for base in theirs.__mro__[1:]] == described["bases"]


def test_sqlstates():
    ours, theirs = (module["psycopg2._psycopg"].sqlstate_errors for module in (OURS, THEIRS))
    assert len(theirs) == SURFACE["sqlstate_errors_count"]
    assert {state: kind.__name__ for state, kind in theirs.items()}.items() <= {
        state: kind.__name__ for state, kind in ours.items()
    }.items()


def classes():
    seen = set()
    for name, kind in introspection.classes("psycopg2"):
        if kind not in seen and kind.__module__.startswith("psycopg2"):
            seen.add(kind)
            yield name


@pytest.mark.parametrize("name", list(classes()))
def test_a_class(name):
    """Can it be subclassed, weakly referenced, written to; are it and what it offers documented?"""
    module, _, attribute = name.rpartition(".")
    theirs, ours = (getattr(modules[module], attribute) for modules in (THEIRS, OURS))
    assert introspection.qualified(ours) == introspection.qualified(theirs)
    subclassable = 1 << 10
    assert ours.__flags__ & subclassable or not theirs.__flags__ & subclassable
    assert ours.__weakrefoffset__ or not theirs.__weakrefoffset__
    for member in dir(theirs):
        if not member.startswith("_") and getattr(theirs, member).__doc__:
            assert getattr(getattr(ours, member, None), "__doc__", None) or member not in dir(ours), member


@pytest.mark.parametrize("module", sorted(name for name in OURS if "._" not in name))
def test_import_star(module):
    """What `from module import *` brings, but for what psycopg2's files import for themselves."""
    names = []
    for modules in (THEIRS, OURS):
        namespace = {}
        exec(f"from {modules[module].__name__} import *", namespace)
        names.append(set(namespace))
    theirs, ours = names
    loaded_later = {name.rpartition(".")[2] for name in THEIRS} - {"errors", "extensions"}
    foreign = set(SURFACE["modules"][module]["foreign_imports"]) | {"ext", "psycopg2"} | loaded_later
    assert theirs - ours - foreign == set()


@pytest.mark.parametrize("module", sorted(OURS))
def test_every_function_is_documented(module):
    for name, value in vars(THEIRS[module]).items():
        if introspection.kind(value) == "function" and value.__doc__ and hasattr(OURS[module], name):
            assert getattr(OURS[module], name).__doc__, name


def objects(module, dsn):
    """One object of every class whose attributes surface.json calls writable or not."""
    conn = module.connect(dsn)
    cur = conn.cursor()
    try:
        cur.execute("SELECT 1/0")
    except module.Error as error:
        failure = error
    conn.rollback()
    cur.execute("SELECT 1")
    conn.rollback()  # a session's settings can't be changed inside a transaction
    return {
        "connection": conn,
        "cursor": cur,
        "info": conn.info,
        "diag": failure.diag,
        "Error": failure,
        "Notify": module.extensions.Notify(1, "c", "p"),
        "Xid": conn.xid(1, "g", "b"),
        "Column": cur.description[0],
    }


def writable(target, name):
    """`rw`, or `ro` with the exception that says so."""
    try:
        setattr(target, name, getattr(target, name))
    except Exception as refusal:
        return f"ro {type(refusal).__name__}"
    return "rw"


@pytest.mark.parametrize("kind", SURFACE["writability"])
def test_writability(dsn, kind):
    for module in (psycopg2, kecoa):
        made = objects(module, dsn)
        found = {name: writable(made[kind], name) for name in SURFACE["writability"][kind]}
        made["connection"].close()
        assert found == SURFACE["writability"][kind], module.__name__


BY_NAME = {
    "connect": lambda m, c, u: m.connect(dsn=c.dsn, connection_factory=None, cursor_factory=None).close(),
    "_connect": lambda m, c, u: m.extensions.connection(dsn=c.dsn, async_=0).close(),
    "parse_dsn": lambda m, c, u: m.extensions.parse_dsn(dsn="dbname=x"),
    "make_dsn": lambda m, c, u: m.extensions.make_dsn(dsn="dbname=x", host="y"),
    "quote_ident": lambda m, c, u: m.extensions.quote_ident(ident="a b", scope=c),
    "new_type": lambda m, c, u: m.extensions.new_type(values=(1,), name="n", castobj=None).name,
    "new_type_of_base": lambda m, c, u: m.extensions.new_type(values=(1,), name="n", baseobj=None).name,
    "new_array_type": lambda m, c, u: (
        m.extensions.new_array_type(values=(1,), name="n", baseobj=m.STRING).values
    ),
    "encrypt_password": lambda m, c, u: m.extensions.encrypt_password(
        password="p", user="u", scope=c, algorithm="md5"
    ),
    "encrypt_password_of_the_extension": lambda m, c, u: __import__(
        f"{m.__name__}._psycopg", fromlist=["x"]
    ).encrypt_password("p", "u", algorithm="md5"),
    "register_adapter": lambda m, c, u: m.extensions.register_adapter(typ=complex, callable=str),
    "cursor": lambda m, c, u: c.cursor(name="n", cursor_factory=None, withhold=True, scrollable=True).name,
    "cursor_class": lambda m, c, u: m.extensions.cursor(conn=c, name="n").name,
    "set_session": lambda m, c, u: c.set_session(
        isolation_level="SERIALIZABLE", readonly=False, deferrable=False, autocommit=False
    ),
    "xid": lambda m, c, u: repr(c.xid(format_id=1, gtrid="g", bqual="b")),
    "lobject": lambda m, c, u: (
        c.lobject(oid=0, mode="w", new_oid=0, new_file=None, lobject_factory=m.extensions.lobject).mode
    ),
    "execute": lambda m, c, u: u.execute(query="SELECT %s", vars=(1,)),
    "executemany": lambda m, c, u: u.executemany(query="SELECT %s", vars_list=[(1,)]),
    "mogrify": lambda m, c, u: u.mogrify(query="SELECT %s", vars=(1,)),
    "fetchmany": lambda m, c, u: [u.execute("SELECT generate_series(1, 5)"), u.fetchmany(size=2)],
    "scroll": lambda m, c, u: [u.execute("SELECT generate_series(1, 5)"), u.scroll(value=2, mode="absolute")],
    "copy_from": lambda m, c, u: u.copy_from(
        file=__import__("io").StringIO("9;x\n"),
        table="parity",
        sep=";",
        null="",
        size=5,
        columns=["id", "name"],
    ),
    "copy_to": lambda m, c, u: u.copy_to(
        file=__import__("io").StringIO(), table="parity", sep=";", null="", columns=["id"]
    ),
    "copy_expert": lambda m, c, u: u.copy_expert(
        sql="COPY parity TO STDOUT", file=__import__("io").StringIO(), size=5
    ),
    "Notify": lambda m, c, u: repr(m.extensions.Notify(pid=1, channel="c", payload="p")),
    "Xid": lambda m, c, u: repr(m.extensions.Xid(format_id=1, gtrid="g", bqual="b")),
    "ConnectionInfo": lambda m, c, u: m.extensions.ConnectionInfo(c).status,
    "ISQLQuote": lambda m, c, u: m.extensions.ISQLQuote(1)._wrapped,
    "NoneAdapter": lambda m, c, u: m.extensions.NoneAdapter(obj=None).getquoted(),
    "SQL_IN": lambda m, c, u: m.extensions.SQL_IN(seq=(1,)).getquoted(),
    "UUID_adapter": lambda m, c, u: m.extras.UUID_adapter(uuid=__import__("uuid").UUID(int=1)).getquoted(),
    "AsIs": lambda m, c, u: m.extensions.AsIs(obj=1),
    "putconn": lambda m, c, u: m.pool.ThreadedConnectionPool(0, 1, dsn="").putconn(),
    "ssl_attribute": lambda m, c, u: c.info.ssl_attribute(name="protocol"),
    "parameter_status": lambda m, c, u: c.info.parameter_status(name="DateStyle"),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_arguments_by_name(same, name):
    same(BY_NAME[name])


def test_signatures_of_what_is_written_in_c():
    """psycopg2 shows none there; kecoa does, for every callable of its extension module."""
    for name, value in vars(OURS["psycopg2._psycopg"]).items():
        if introspection.kind(value) == "function" and not name.startswith("_"):
            assert inspect.signature(value), name


def test_there_is_no_libpq(dsn):
    conn = kecoa.connect(dsn)
    assert conn.pgconn_ptr is None
    assert conn.cursor().pgresult_ptr is None
    conn.close()
