"""Certificates and revocation lists of every sort, wrong ones as well, for the matrix beside libpq."""

from __future__ import annotations

import base64
import datetime
import functools
import ipaddress
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.tls.authority import DAY, NOW

HOST = "db.example"

PURPOSES = {
    "server": ExtendedKeyUsageOID.SERVER_AUTH,
    "client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
}
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
ALTERNATIVE_NAME = x509.ObjectIdentifier("2.5.29.17")


def key_usage(*granted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in granted for usage in USAGES})


@functools.cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def common(*names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


def general(name: str) -> x509.GeneralName:
    """`email:`, `uri:` and `dn:` say what a name is; else it is an address or a host name."""
    kind, _, rest = name.partition(":")
    if kind == "email":
        return x509.RFC822Name(rest)
    if kind == "uri":
        return x509.UniformResourceIdentifier(rest)
    if kind == "dn":
        return x509.DirectoryName(common(rest))
    try:
        return x509.IPAddress(ipaddress.ip_network(name) if "/" in name else ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def constraints(permitted: Sequence[str] = (), excluded: Sequence[str] = ()) -> x509.NameConstraints:
    return x509.NameConstraints(
        [general(name) for name in permitted] or None, [general(name) for name in excluded] or None
    )


def der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    return bytes((tag, 0x82)) + size.to_bytes(2, "big") + body


def elements(body: bytes) -> list[bytes]:
    """What stands one behind the other, each with its header."""
    found = []
    while body:
        size, start = body[1], 2
        if size >= 0x80:
            start += size & 0x7F
            size = int.from_bytes(body[2:start], "big")
        found.append(body[: start + size])
        body = body[start + size :]
    return found


def contents(element: bytes) -> bytes:
    return element[2 + (element[1] & 0x7F if element[1] >= 0x80 else 0) :]


def pem(der_bytes: bytes, label: str = "CERTIFICATE") -> bytes:
    return (
        f"-----BEGIN {label}-----\n".encode()
        + base64.encodebytes(der_bytes)
        + f"-----END {label}-----\n".encode()
    )


class Cert:
    """A certificate and its key. Without `issuer` it has signed itself.

    `ca`: what basicConstraints say; None leaves them out.
    """

    def __init__(
        self,
        subject: str | x509.Name = "x",
        issuer: Cert | None = None,
        *,
        names: Sequence[str] = (),
        raw_names: bytes = b"",
        ca: bool | None = False,
        pathlen: int | None = None,
        usage: Sequence[str] | None = None,
        purposes: Sequence[str] = (),
        since: int = -5,
        until: int = 50,
        key: Any = None,
        hash_function: Any = None,
        pss: bool = False,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        issuer_name: x509.Name | None = None,
        identifiers: bool = False,
        serial: int | None = None,
    ) -> None:
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.name = subject if isinstance(subject, x509.Name) else common(subject)
        signer = issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer_name or signer.name)
            .public_key(self.key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(NOW + since * DAY)
            .not_valid_after(NOW + until * DAY)
        )
        added: list[tuple[x509.ExtensionType, bool]] = []
        if ca is not None:
            added.append((x509.BasicConstraints(ca, pathlen), True))
        if names:
            added.append((x509.SubjectAlternativeName([general(name) for name in names]), False))
        if raw_names:
            added.append((x509.UnrecognizedExtension(ALTERNATIVE_NAME, der(0x30, raw_names)), False))
        if usage is not None:
            added.append((key_usage(*usage), True))
        if purposes:
            added.append((x509.ExtendedKeyUsage([PURPOSES[purpose] for purpose in purposes]), False))
        if identifiers:
            public = signer.key.public_key()
            added.append((x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), False))
            added.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False))
        for extension, critical in [*added, *extensions]:
            builder = builder.add_extension(extension, critical)
        edwards = isinstance(signer.key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
        function = hash_function or hashes.SHA256()
        scheme = padding.PSS(padding.MGF1(function), padding.PSS.DIGEST_LENGTH) if pss else None
        self.signer = signer
        self.certificate = builder.sign(signer.key, None if edwards else function, rsa_padding=scheme)
        self.der = self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return pem(self.der)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def changed(self, change: Any) -> Cert:
        """Signed anew (by ECDSA with SHA-256) after `change` has had the fields."""
        _, algorithm, _ = elements(contents(self.der))
        fields = der(0x30, *change(elements(contents(elements(contents(self.der))[0]))))
        signature = self.signer.key.sign(fields, ec.ECDSA(hashes.SHA256()))
        self.der = der(0x30, fields, algorithm, der(0x03, b"\0", signature))
        return self

    def dated(self, since: bytes, until: bytes) -> Cert:
        """With these points in time, which are DER."""
        times = (b"\x17", b"\x18")
        return self.changed(
            lambda fields: [
                der(0x30, since, until) if f[:1] == b"\x30" and contents(f)[:1] in times else f
                for f in fields
            ]
        )

    def version_1(self) -> Cert:
        """As version 1: without version and extensions."""
        return self.changed(lambda fields: [field for field in fields if field[0] not in (0xA0, 0xA3)])

    def weakly_signed(self, function: Any, number: int) -> Cert:
        """Signed by RSA with another hash function, whose algorithm ends in this number."""
        sha256 = bytes.fromhex("2a864886f70d01010b")
        fields = elements(contents(self.der))[0].replace(sha256, sha256[:-1] + bytes((number,)))
        algorithm = elements(contents(self.der))[1].replace(sha256, sha256[:-1] + bytes((number,)))
        signature = self.signer.key.sign(fields, padding.PKCS1v15(), function)
        self.der = der(0x30, fields, algorithm, der(0x03, b"\0", signature))
        return self

    def spoilt(self) -> Cert:
        """With a signature that is wrong."""
        self.der = self.der[:-1] + bytes((self.der[-1] ^ 1,))
        return self


def authority(name: str = "root", issuer: Cert | None = None, **more: Any) -> Cert:
    return Cert(name, issuer, ca=more.pop("ca", True), **more)


def server(issuer: Cert | None = None, subject: str | x509.Name = "x", **more: Any) -> Cert:
    """A server's certificate, for the host unless `names` says otherwise."""
    if "raw_names" not in more:
        more.setdefault("names", [HOST])
    return Cert(subject, issuer, **more)


def revocation_list(
    issuer: Cert,
    *revoked: Cert,
    since: int = -2,
    until: int = 5,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signer: Cert | None = None,
    entry_extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.name)
        .last_update(NOW + since * DAY)
        .next_update(NOW + until * DAY)
    )
    for cert in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(cert.serial)
        entry = entry.revocation_date(NOW - datetime.timedelta(hours=1))
        for extension, critical in entry_extensions:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    key = (signer or issuer).key
    edwards = isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    found = builder.sign(key, None if edwards else hashes.SHA256())
    return found.public_bytes(serialization.Encoding.PEM)
