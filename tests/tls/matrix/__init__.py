"""Situations of certificates, each with who accepts: libpq, and kecoa where it differs on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.tls.chains import HOST, Cert, authority

YES, NO = "yes", "no"
#: Accepted, but by a session in clear.
CLEAR = "clear"

#: What most situations are signed by.
ROOT = authority("root of the matrix")


@dataclass(frozen=True)
class Case:
    """`libpq`: what becomes of it there, and here unless `kecoa` says otherwise, with the reason in `why`.

    `roots`: the file of sslrootcert; `home`: the same as `~/.postgresql/root.crt`. `says` must be in kecoa's error.
    """

    name: str
    libpq: str
    leaf: Cert | None
    behind: Sequence[Cert] = ()
    roots: Sequence[Cert | bytes] | None = (ROOT,)
    mode: str = "verify-full"
    host: str = f"host={HOST} hostaddr=127.0.0.1"
    more: str = ""
    crl: bytes | None = None
    #: By file name.
    crldir: dict[str, bytes] | None = None
    home: dict[str, bytes] = field(default_factory=dict)
    served: dict[str, Any] = field(default_factory=dict)
    #: What we are: certificates for sslcert, the key of the first, and the mode of its file.
    client: Sequence[Cert] = ()
    client_key: bytes | None = None
    client_key_mode: int = 0o600
    kecoa: str = ""
    why: str = ""
    says: str = ""


def of(name: str, libpq: str, leaf: Cert | None, **more: Any) -> Case:
    return Case(name, libpq, leaf, **more)
