"""Chains put together by chance, each from a seed: kecoa accepts those that libpq accepts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

import kecoa
from tests.tls.chains import HOST, USAGES, Cert, authority, constraints, revocation_list
from tests.tls.matrix import NO, YES, Case
from tests.tls.matrix.chains import UNKNOWN
from tests.tls.matrix.run import outcome, prepared
from tests.tls.scripted_server import ScriptedServer

HOSTS = [HOST, HOST, HOST, HOST, "a.db.example", "localhost", "127.0.0.1"]
NAMES = [
    HOST,
    "a.db.example",
    "*.example",
    "*.db.example",
    "localhost",
    "127.0.0.1",
    "::1",
    "other.test",
    "dn:x",
]
NAMES += ["email:a@corp.test", "uri:https://db.example/x", "DB.EXAMPLE"]
SUBTREES = [
    "example",
    HOST,
    ".example",
    "corp.test",
    "localhost",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "::/0",
    "dn:x",
]
SUBTREES += ["dn:y", "email:corp.test", "uri:db.example", "uri:.example", ""]


class Dice:
    """What a seed gives. No two authorities have one name: OpenSSL picks among those by the name alone."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.odd = self.random.choice([0.01, 0.03, 0.1])

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def some(self, choices: list[Any], counts: list[int]) -> list[Any]:
        return [self.random.choice(choices) for _ in range(self.random.choice(counts))]

    def common(self) -> dict[str, Any]:
        """What any certificate may have."""
        found: dict[str, Any] = {"extensions": [], "identifiers": self.chance(0.3)}
        if self.chance(self.odd):
            found.update(self.random.choice([{"until": -1}, {"since": 2}]))
        if self.chance(self.odd):
            purposes = [["client"], ["server"], ["any"], ["client", "server"], ["any", "server"]]
            found["purposes"] = self.random.choice(purposes)
        if self.chance(self.odd / 2):
            found["extensions"].append((UNKNOWN, True))
        return found

    def authority(self, name: str, above: Cert | None = None) -> Cert:
        found = self.common()
        found["ca"] = self.random.choice([False, None]) if self.chance(self.odd) else True
        if found["ca"] and self.chance(0.3):
            found["pathlen"] = self.random.choice([0, 1, 2, 3])
        if self.chance(0.3):
            odd = [["key_cert_sign"], ["crl_sign"], ["digital_signature"]]
            found["usage"] = (
                self.random.choice(odd) if self.chance(self.odd) else ["key_cert_sign", "crl_sign"]
            )
        if self.chance(0.2):
            permitted, excluded = self.some(SUBTREES, [1, 2]), self.some(SUBTREES, [0, 0, 1])
            found["extensions"].append((constraints(permitted, excluded), self.chance(0.8)))
        return authority(name, above, **found)

    def server(self, above: Cert | None) -> Cert:
        found = self.common()
        found["ca"] = self.random.choice([True, None]) if self.chance(0.2) else False
        if self.chance(self.odd):
            found["usage"] = [self.random.choice(USAGES[:7])]
        names = [HOST, "x", "*.example", "localhost", "127.0.0.1", "a.db.example", "X Y"]
        return Cert(self.random.choice(names), above, names=self.some(NAMES, [0, 1, 1, 2]), **found)

    def case(self) -> Case:
        root = self.authority("root")
        chain = [root]
        for number in range(self.random.choice([0, 1, 1, 2, 3])):
            chain.append(self.authority(f"between {number}", chain[-1]))
        leaf = self.server(None if self.chance(0.05) else chain[-1])
        if self.chance(self.odd):
            self.random.choice([leaf, *chain[1:]]).spoilt()
        behind = [cert for cert in chain if self.chance(0.05 if cert is root else 0.93)]
        # Without a gap: what is sent does not close one for OpenSSL.
        trusted = chain[: self.random.choice([1, 1, 1, 2, 4])]
        trusted = trusted if self.chance(0.95) else trusted[1:]
        trusted += [leaf] if self.chance(0.8 if leaf.signer is leaf else 0.1) else []
        self.random.shuffle(behind)
        self.random.shuffle(trusted)
        crl = None
        if self.chance(0.3):
            pool = [*chain, leaf] if leaf.signer is leaf else chain
            crl = b"".join(self.lists(cert, [*chain, leaf]) for cert in pool if self.chance(0.95)) or None
        mode = self.random.choice(["verify-full", "verify-full", "verify-ca"])
        host = f"host={self.random.choice(HOSTS)} hostaddr=127.0.0.1"
        roots = trusted or [authority("another root")]
        return Case("", "", leaf, behind=behind, roots=roots, mode=mode, host=host, crl=crl)

    def lists(self, issuer: Cert, certificates: list[Cert]) -> bytes:
        revoked = [cert for cert in certificates if cert.signer is issuer and self.chance(0.06)]
        old = {"since": -9, "until": -1} if self.chance(self.odd) else {}
        return revocation_list(issuer, *revoked, **old)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedServer]:
    with ScriptedServer(tmp_path_factory.mktemp("random")) as server:
        yield server


@pytest.mark.parametrize("seed", range(250))
def test_seed(seed: int, server: ScriptedServer) -> None:
    dsn = prepared(Dice(seed).case(), server, server.folder)
    theirs, their_error = outcome(psycopg2, dsn)
    ours, error = outcome(kecoa, dsn)
    # As the documents say: the host that one connects to is held to name constraints, too.
    if (theirs, ours) == (YES, NO) and "the host name" in error and "(name constraints)" in error:
        return
    assert ours == theirs, their_error or error
