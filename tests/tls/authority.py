"""Certificates, keys and revocation lists, made by the tests."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Hash = hashes.SHA256 | hashes.SHA512

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def days(count: int) -> datetime.datetime:
    """So many days from now."""
    return NOW + count * DAY


def name_of(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)] if common else [])


@dataclass
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self, password: bytes | None = None, *, old_form: bool = False) -> bytes:
        """The key in PEM form: PKCS#8, or OpenSSL's form from before."""
        form = serialization.PrivateFormat
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            form.TraditionalOpenSSL if old_form else form.PKCS8,
            serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
        )


class Authority:
    """Signs certificates; a root, or below another authority."""

    def __init__(self, name: str, above: Authority | None = None) -> None:
        self.key: Key = ec.generate_private_key(ec.SECP256R1())
        self.name = name_of(name)
        self.above = above
        authority = self._builder(self.name, self.key, days(-10), days(100))
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        signer = above or self
        authority = authority.issuer_name(signer.name)
        self.certificate = authority.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(
        self,
        common: str = "",
        alternative: Sequence[str] = (),
        *,
        since: int = -5,
        until: int = 50,
        key: Key | None = None,
        hash_function: Hash | None = None,
        pss: bool = False,
        usages: Sequence[x509.ObjectIdentifier] = (),
        is_authority: bool = False,
    ) -> Pair:
        """A certificate for these names and addresses, valid from `since` to `until`, in days from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name_of(common), key, days(since), days(until)).issuer_name(self.name)
        if alternative:
            names = x509.SubjectAlternativeName([_general_name(name) for name in alternative])
            builder = builder.add_extension(names, critical=False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if is_authority:
            basic = x509.BasicConstraints(ca=True, path_length=None)
            builder = builder.add_extension(basic, critical=True)
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH) if pss else None
        algorithm = (
            None if isinstance(self.key, ed25519.Ed25519PrivateKey) else hash_function or hashes.SHA256()
        )
        return Pair(builder.sign(self.key, algorithm, rsa_padding=scheme), key)

    def revocation_list(self, revoked: Sequence[Pair] = (), *, until: int = 10) -> bytes:
        """A list in PEM form."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(days(-20))
            .next_update(days(until))
        )
        for pair in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(pair.certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(days(-1)).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _builder(
        self, subject: x509.Name, key: Key, since: datetime.datetime, until: datetime.datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(since)
            .not_valid_after(until)
        )


class KeyedAuthority(Authority):
    """A root with a key of another kind."""

    def __init__(self, name: str, key: Key) -> None:
        self.key = key
        self.name = name_of(name)
        self.above = None
        builder = self._builder(self.name, key, days(-10), days(100)).issuer_name(self.name)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = builder.sign(
            key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        )


def self_signed(common: str, alternative: Sequence[str] = ()) -> Pair:
    """What `openssl req -x509` makes: a server's certificate that is an authority as well."""
    authority = Authority(common)
    if not alternative:
        return Pair(authority.certificate, authority.key)
    pair = authority.sign(common, alternative, key=authority.key, is_authority=True)
    return Pair(pair.certificate, authority.key)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def write(path: Path, content: bytes, mode: int = 0o644) -> str:
    """Write a file and say where."""
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)
