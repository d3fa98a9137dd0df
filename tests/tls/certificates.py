"""The certificates of a run, and the files that clients name in their options."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.tls.authority import Authority, KeyedAuthority, Pair, self_signed, write
from tests.tls.server import TlsServer

KEY_PASSWORD = "kata-sandi-kunci"
HOST = "db.example"


class Certificates:
    """One root signs servers, another one clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority("root of the tests")
        self.stranger = Authority("root of somebody else")
        self.between = Authority("below the root", above=self.root)
        self.clients = Authority("root of the clients")
        self.good = self.root.sign(HOST, [HOST])
        self.revoked = self.root.sign(HOST, [HOST])
        self.below = self.between.sign(HOST, [HOST])
        self.maya = self.clients.sign("maya")
        self.budi = self.clients.sign("budi")
        self.foreign = self.stranger.sign("budi")
        self.old = self.clients.sign("budi", since=-9, until=-1)
        self.taken_back = self.clients.sign("budi")
        self.own = self_signed(HOST, [HOST])

    @cached_property
    def served(self) -> dict[str, dict[str, Any]]:
        """What the server is given, by name: see `TlsServer.use`."""
        root = self.root
        rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        by_rsa = KeyedAuthority("RSA root", rsa_key)
        by_edwards = KeyedAuthority("Ed25519 root", ed25519.Ed25519PrivateKey.generate())
        self.rsa_root, self.edwards_root = by_rsa, by_edwards
        plain: dict[str, Pair] = {
            "revoked": self.revoked,
            "expired": root.sign(HOST, [HOST], since=-9, until=-1),
            "not yet valid": root.sign(HOST, [HOST], since=2),
            "another name": root.sign("other.example", ["other.example", "third.example"]),
            "a common name": root.sign(HOST),
            "a common name beside an address": root.sign(HOST, ["192.0.2.7"]),
            "a common name beside another name": root.sign(HOST, ["other.example"]),
            "no name": root.sign(),
            "a wildcard": root.sign("", ["*.example"]),
            "a wildcard two labels above": root.sign("", ["*.com"]),
            "an address": root.sign("", ["127.0.0.1"]),
            "an address as a name": root.sign("127.0.0.1"),
            "a certificate for clients": root.sign(HOST, [HOST], usages=[ExtendedKeyUsageOID.CLIENT_AUTH]),
            "an authority": root.sign(HOST, [HOST], is_authority=True),
            "itself": self.own,
            "the chain cut": self.below,
            "SHA-512": root.sign(HOST, [HOST], hash_function=hashes.SHA512()),
            "RSA": by_rsa.sign(HOST, [HOST], key=rsa_key),
            "RSA-PSS": by_rsa.sign(HOST, [HOST], pss=True),
            "Ed25519": by_edwards.sign(HOST, [HOST]),
        }
        served: dict[str, dict[str, Any]] = {name: {"pair": pair} for name, pair in plain.items()}
        served["good"] = {
            "pair": self.good,
            "clients": self.clients.pem,
            "revoked_clients": self.clients.revocation_list([self.taken_back]),
        }
        served["the chain"] = {"pair": self.below, "behind": self.between.pem}
        served["TLS 1.2"] = {"pair": self.good, "versions": ("TLSv1.2", "TLSv1.2")}
        served["TLS 1.3"] = {"pair": self.good, "versions": ("TLSv1.3", "")}
        served["nothing"] = {"pair": None}
        return served

    @cached_property
    def files(self) -> dict[str, str]:
        """Paths by the name that options have for them: `{root}`, `{budi_key}`, …"""
        found: dict[str, str] = {}
        served = self.served

        def add(name: str, content: bytes, mode: int = 0o600) -> None:
            found[name] = write(self.folder / name, content, mode)

        for name, authority in {
            "root": self.root,
            "stranger": self.stranger,
            "rsa_root": self.rsa_root,
            "edwards_root": self.edwards_root,
        }.items():
            add(name, authority.pem)
        add("own", self.own.pem)
        for name, pair in {
            "maya": self.maya,
            "budi": self.budi,
            "foreign": self.foreign,
            "old": self.old,
            "taken_back": self.taken_back,
        }.items():
            add(name, pair.pem)
            add(f"{name}_key", pair.key_pem())
        add("open_key", self.budi.key_pem(), 0o644)
        add("encrypted_key", self.budi.key_pem(KEY_PASSWORD.encode()))
        add("old_encrypted_key", self.budi.key_pem(KEY_PASSWORD.encode(), old_form=True))
        add("none", b"")
        # The lists.
        revoked, none = self.root.revocation_list([self.revoked]), self.root.revocation_list()
        of_between = self.between.revocation_list([self.below])
        add("crl", revoked)
        add("crl_of_none", none)
        add("crl_of_a_stranger", self.stranger.revocation_list())
        add("crl_of_before", self.root.revocation_list(until=-1))
        add("crl_of_both", none + of_between)
        add("crl_of_both_none", none + self.between.revocation_list())
        folder = self.folder / "lists"
        folder.mkdir()
        for common, content in [("root of the tests", revoked), ("below the root", of_between)]:
            write(folder / f"{hash_of(common)}.r0", content)
        found["crldir"] = str(folder)
        assert served
        found["missing"] = str(self.folder / "missing")
        return found

    def serve(self, server: TlsServer, name: str) -> None:
        server.use(**self.served[name])


def hash_of(common: str) -> str:
    """The name that OpenSSL has for an authority's files: a hash of its subject in a form of its own."""
    text = common.lower().encode()
    attribute = b"\x06\x03\x55\x04\x03\x0c" + bytes([len(text)]) + text
    pair = b"\x30" + bytes([len(attribute)]) + attribute
    subject = b"\x31" + bytes([len(pair)]) + pair
    return hashlib.sha1(subject, usedforsecurity=False).digest()[3::-1].hex()
