"""A password's encrypted form, made on the client, so that ALTER ROLE need not carry the password itself."""

from __future__ import annotations

from kecoa._kecoa import DatabaseError, ProgrammingError, connection, cursor

# Known to type checkers as true. `typing` itself is left to those programs that need it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SALT_LENGTH = 16
_DEFAULT_ITERATIONS = 4096


def encrypt_password(
    password: str | bytes,
    user: str | bytes,
    scope: connection | cursor | None = None,
    algorithm: str | bytes | None = None,
) -> str:
    """Return the form of `password` that the server keeps for the role `user`.

    `algorithm` is `md5` or `scram-sha-256`; None asks the server for its `password_encryption`. All but
    `md5` need a connection or cursor as `scope`: SCRAM takes the server's number of iterations.

    ProgrammingError for an unknown algorithm, or when `scope` is needed and missing or closed. ValueError
    for a password with a NUL character, of which psycopg2 would encrypt only what comes before.
    """
    conn: Any = None
    if isinstance(scope, connection):
        conn = scope
    elif isinstance(scope, cursor):
        conn = scope.connection
    elif scope is not None:
        raise TypeError("the scope must be a connection or a cursor")
    secret, role = _bytes(password), _bytes(user)
    wanted = None if algorithm is None else _bytes(algorithm).decode("utf-8", "replace")
    if b"\0" in secret or b"\0" in role:
        raise ValueError("expected a password and a user without NUL characters")
    if wanted != "md5" and conn is None:
        raise ProgrammingError(
            "password encryption (other than 'md5' algorithm) requires a connection or cursor"
        )
    if wanted != "md5" and conn.closed:
        raise ProgrammingError("password encryption failed: the connection is closed")
    if wanted is None:
        wanted = _servers_algorithm(conn)
    # `on` and `off` are what password_encryption could be before PostgreSQL 10.
    if wanted in ("md5", "on", "off"):
        return _md5(secret, role)
    if wanted == "scram-sha-256":
        return _scram(secret, _iterations(conn))
    raise ProgrammingError(
        f'password encryption failed: unrecognized password encryption algorithm "{wanted}"\n'
    )


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, bytes):
        return value
    raise TypeError(f"Expected bytes or unicode string, got {type(value).__name__} instead")


def _servers_algorithm(conn: Any) -> str:
    """Return the server's setting; a transaction that this began is ended."""
    was_idle = conn.status == 1  # STATUS_READY
    try:
        with conn.cursor(cursor_factory=cursor) as curs:
            curs.execute("SHOW password_encryption")
            setting: str = curs.fetchone()[0]
    except DatabaseError as error:
        raise ProgrammingError(f"password encryption failed: {error}") from error
    finally:
        if was_idle and not conn.autocommit and not conn.closed:
            conn.rollback()
    return setting


def _iterations(conn: Any) -> int:
    """Return the server's `scram_iterations`, reported since PostgreSQL 16."""
    reported = conn.get_parameter_status("scram_iterations")
    return int(reported) if reported and reported.isdigit() else _DEFAULT_ITERATIONS


def _md5(password: bytes, user: bytes) -> str:
    import hashlib

    return "md5" + hashlib.md5(password + user, usedforsecurity=False).hexdigest()


def _scram(password: bytes, iterations: int, salt: bytes | None = None) -> str:
    """Return a SCRAM verifier (RFC 5803), as pg_authid has it; `salt` is random unless given."""
    import hashlib
    import hmac
    import os
    from base64 import b64encode

    salt = os.urandom(_SALT_LENGTH) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", _saslprep(password), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    encoded = [b64encode(part).decode("ascii") for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _saslprep(password: bytes) -> bytes:
    """Normalize a password by SASLprep (RFC 4013); as it is when that can't be done, as PostgreSQL does."""
    if password.isascii():
        return password
    import stringprep
    import unicodedata

    try:
        text = password.decode("utf-8")
    except UnicodeDecodeError:
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    prohibited = (
        stringprep.in_table_a1,
        stringprep.in_table_c12,
        stringprep.in_table_c21_c22,
        stringprep.in_table_c3,
        stringprep.in_table_c4,
        stringprep.in_table_c5,
        stringprep.in_table_c6,
        stringprep.in_table_c7,
        stringprep.in_table_c8,
        stringprep.in_table_c9,
    )
    if not prepared or any(refuses(character) for character in mapped for refuses in prohibited):
        return password
    # Bidirectional text: what reads from right to left must do so from its first to its last character.
    if any(map(stringprep.in_table_d1, mapped)):
        if any(map(stringprep.in_table_d2, mapped)):
            return password
        if not (stringprep.in_table_d1(mapped[0]) and stringprep.in_table_d1(mapped[-1])):
            return password
    return prepared.encode("utf-8")
