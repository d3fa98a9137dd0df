"""Identifiers of two-phase transactions, without a transaction."""

from __future__ import annotations

import pickle

import pytest

import kecoa.extensions

WRONG_TYPES = [
    ("1", "a", "b"),
    (1, 2, "b"),
    (1, b"a", b"b"),
    (1, None, None),
    (None, "a", None),
    (1, "a"),
    (1.5, "a", "b"),
    (),
]


def seen(xid):
    return (
        type(xid).__name__,
        len(xid),
        tuple(xid),
        str(xid),
        repr(xid),
        xid.prepared,
        xid.owner,
        xid.database,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (1, "a", "b"), (0, "", ""), (2**31 - 1, "a", "b"), (-1, "a", "b"), (True, "a", "b"),
        (1, "a" * 64, "b" * 64), (1, "a" * 65, "b"), (1, "a", "b" * 65), (1, "é", "b"), (1, "a", "é"),
        (1, "\x1f", "a"), (1, "\x7f", "a"), (1, " ~", "_'\\"), *WRONG_TYPES,
    ],
)  # fmt: skip
def test_made_of_parts(same, arguments):
    same(lambda module, conn, cur: seen(module.extensions.Xid(*arguments)))


def test_a_format_that_is_too_large():
    # psycopg2 raises the same class with the words of Python's argument parser.
    with pytest.raises(OverflowError, match=r"below 2\*\*31, found 2147483648"):
        kecoa.extensions.Xid(2**31, "a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "42_Z3RyaWQ=_YnF1YWw=", "99_xxx_yyy", "", "a", "1_YQ==_", "_YQ==_YQ==", "1__", "-1_YQ==_YQ==",
        "4294967296_YQ==_YQ==", "2147483648_YQ==_YQ==", "1_YQ==_YQ==_", "1_YQ_YQ", "1_w6k=_YQ==", "1_YQ==\n_YQ==",
        "01_YQ==_YQ==", "é", "1_YQ==_YQ== ", "x" * 300, "1_" + "YWFh" * 22 + "_YQ==", "1_/w==_YQ==", "١_YQ==_YQ==",
        1, None,
    ],
)  # fmt: skip
def test_made_of_a_string(same, text):
    same(lambda module, conn, cur: seen(module.extensions.Xid.from_string(text)))


@pytest.mark.parametrize(
    "action",
    [
        lambda xid: [xid[0], xid[1], xid[2], xid[-1]],
        lambda xid: xid[3],
        lambda xid: xid[0:2],
        lambda xid: xid["a"],
        lambda xid: pickle.dumps(xid),
        lambda xid: [xid == type(xid)(1, "a", "b"), hash(xid) == hash(xid), hasattr(xid, "__dict__")],
        lambda xid: repr(type("Sub", (type(xid),), {})(2, "a", "b")),
    ],
)
def test_as_a_sequence(same, action):
    same(lambda module, conn, cur: action(module.extensions.Xid(1, "a", "b")))


@pytest.mark.parametrize("name", ["format_id", "gtrid", "bqual", "prepared", "owner", "database", "other"])
def test_it_does_not_change(name):
    with pytest.raises(AttributeError):
        setattr(kecoa.extensions.Xid(1, "a", "b"), name, "x")


def test_of_a_recovered_transaction():
    xid = kecoa.extensions.Xid.recovered("42_Z3RyaWQ=_YnF1YWw=", "then", "someone", "somewhere")
    assert (*xid, xid.prepared, xid.owner, xid.database) == (
        42,
        "gtrid",
        "bqual",
        "then",
        "someone",
        "somewhere",
    )
