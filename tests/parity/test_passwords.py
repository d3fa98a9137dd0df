"""Passwords encrypted on the client."""

from __future__ import annotations

import base64

import pytest

from kecoa._driver import password as passwords
from kecoa.extensions import encrypt_password

WORDS = [
    "p",
    "",
    "é",
    "passwörd",
    "\xa0a\xadb",
    "ﬁ Ⅷ",
    "\u0627\u0628",
    "\u0627a",
    "\u0627a\u0628",
    "\x07",
    "é\x07",
    "\U0001f600",
    "\u2003é",
]


@pytest.mark.parametrize("password", WORDS)
@pytest.mark.parametrize("user", ["u", "", "ü"])
def test_md5(same, password, user):
    def action(module, conn, cur):
        make = module.extensions.encrypt_password
        return (
            make(password, user, algorithm="md5"),
            make(password.encode(), user.encode(), conn, b"md5"),
            make(password=password, user=user, scope=cur, algorithm="on"),
        )

    same(action)


@pytest.mark.parametrize("password", WORDS)
def test_scram(parity_connections, password):
    """What psycopg2 makes with its random salt is made again with that salt."""
    theirs, ours = parity_connections
    import psycopg2.extensions

    verifier = psycopg2.extensions.encrypt_password(password, "u", theirs, "scram-sha-256")
    salt = base64.b64decode(verifier.split(":")[1].split("$")[0])
    assert passwords._scram(password.encode(), 4096, salt) == verifier
    own = encrypt_password(password, "u", ours, "scram-sha-256")
    assert len(own) == len(verifier)
    assert own.split(":")[0] == verifier.split(":")[0] == "SCRAM-SHA-256$4096"
    assert own != encrypt_password(password, "u", ours, "scram-sha-256")


def test_a_password_that_is_no_utf8(parity_connections):
    theirs, _ = parity_connections
    import psycopg2.extensions

    verifier = psycopg2.extensions.encrypt_password(b"\xff\xfe", "u", theirs, "scram-sha-256")
    salt = base64.b64decode(verifier.split(":")[1].split("$")[0])
    assert passwords._scram(b"\xff\xfe", 4096, salt) == verifier


@pytest.mark.parametrize("began", [False, True])
@pytest.mark.parametrize("setting", ["md5", "scram-sha-256"])
def test_the_servers_choice(same, setting, began):
    def action(module, conn, cur):
        conn.autocommit = True
        cur.execute("SELECT current_setting('password_encryption')")
        before = cur.fetchone()[0]
        cur.execute(f"SET password_encryption = '{setting}'")
        try:
            conn.autocommit = False
            if began:
                cur.execute("SELECT 1")
            made = module.extensions.encrypt_password("p", "u", cur)
            return made[:19], conn.status
        finally:
            conn.rollback()
            conn.autocommit = True
            cur.execute(f"SET password_encryption = '{before}'")
            conn.autocommit = False

    same(action)


def test_the_servers_number_of_iterations(connect):
    # A setting of PostgreSQL 16.
    settable = connect().info.server_version >= 160_000
    conn = connect(**({"options": "-c scram_iterations=5000"} if settable else {}))
    iterations = 5000 if settable else 4096
    assert encrypt_password("p", "u", conn, "scram-sha-256").startswith(f"SCRAM-SHA-256${iterations}:")


def test_the_server_takes_it_as_encrypted(connect):
    conn = connect()
    conn.autocommit = True
    with conn.cursor() as cur:
        cur.execute("DROP ROLE IF EXISTS kecoa_encrypted")
        cur.execute("CREATE ROLE kecoa_encrypted")
        for algorithm in ("md5", "scram-sha-256"):
            secret = encrypt_password("\xa0pässwörd", "kecoa_encrypted", conn, algorithm)
            cur.execute("ALTER ROLE kecoa_encrypted PASSWORD %s", (secret,))
            cur.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'kecoa_encrypted'")
            assert cur.fetchone() == (secret,)
        cur.execute("DROP ROLE kecoa_encrypted")


@pytest.mark.parametrize(
    "arguments",
    [
        ("p", "u"), ("p", "u", None, "scram-sha-256"), ("p", "u", None, "abc"), ("p", "u", "conn", "abc"),
        ("p", "u", "conn", "MD5"), ("p", "u", "conn", ""), ("p", "u", "wat"), ("p", "u", "wat", "md5"), ("p",), (),
        (None, "u", "conn", "md5"), (1, "u"), ("p", 42, "conn", "md5"), (42, "u", "wat", "abc"), ("p", "u", "wat", 42),
        ("p", "u", "conn", 42),
    ],
)  # fmt: skip
def test_wrong_arguments(same, arguments):
    def action(module, conn, cur):
        return module.extensions.encrypt_password(*(conn if each == "conn" else each for each in arguments))

    same(action)


def test_in_a_failed_transaction(same):
    def action(module, conn, cur):
        with pytest.raises(module.Error):
            cur.execute("nonsense")
        with pytest.raises(module.ProgrammingError, match="current transaction is aborted"):
            module.extensions.encrypt_password("p", "u", conn)
        return conn.status

    same(action)


def test_on_a_closed_connection(connect):
    conn = connect()
    conn.close()
    assert encrypt_password("p", "u", conn, "md5") == encrypt_password("p", "u", algorithm="md5")
    for algorithm in (None, "scram-sha-256"):
        with pytest.raises(conn.ProgrammingError, match="is closed"):
            encrypt_password("p", "u", conn, algorithm)


@pytest.mark.parametrize("arguments", [("p\0q", "u"), ("p", "u\0"), (b"\0", b"u")])
def test_nothing_is_cut_off(arguments):
    with pytest.raises(ValueError, match="NUL"):
        encrypt_password(*arguments, algorithm="md5")
