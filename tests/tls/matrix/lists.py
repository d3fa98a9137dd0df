"""Certificates that were taken back: revocation lists, and who may make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.tls.certificates import hash_of
from tests.tls.chains import Cert, authority, der, pem, revocation_list, rsa_key, server
from tests.tls.matrix import NO, YES, Case, of

SIGNS = ["key_cert_sign", "crl_sign"]
MISSING = "a file that you name and that does not exist, is empty or is damaged (`sslcert`, `sslcrl`, `sslcrldir`) is an error"
STAYS = "a certificate is revoked if any list says so"

root = authority("root of lists", usage=SIGNS)
between = authority("between lists", root, usage=SIGNS)
leaf = server(root)
below = server(between)
other = authority("another root", usage=SIGNS)
plain = authority("root without usage")
of_plain = server(plain)
no_lists = authority("root without lists", usage=["key_cert_sign"])
between_no_lists = authority("between without lists", root, usage=["key_cert_sign"])
own = server(None, "own")
own_no_usage = server(None, "own")


def listed(
    name: str,
    libpq: str,
    *lists: bytes,
    cert: Cert = leaf,
    behind: Sequence[Cert] = (),
    roots: Any = (root,),
    **more: Any,
) -> Case:
    return of(f"lists: {name}", libpq, cert, behind=behind, roots=roots, crl=b"".join(lists), **more)


NONE = revocation_list(root)
NONE_BETWEEN = revocation_list(between)
BOTH: dict[str, Any] = {"cert": below, "behind": [between]}


def partial(
    *,
    users: bool = False,
    authorities: bool = False,
    attributes: bool = False,
    indirect: bool = False,
    where: str = "",
    reasons: Any = None,
) -> list[tuple[x509.ExtensionType, bool]]:
    names = [x509.UniformResourceIdentifier(where)] if where else None
    point = x509.IssuingDistributionPoint(names, None, users, authorities, reasons, indirect, attributes)
    return [(point, True)]


def points(where: str) -> list[tuple[x509.ExtensionType, bool]]:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(where)], None, None, None)
    return [(x509.CRLDistributionPoints([point]), False)]


HERE, THERE = "http://lists.example/1.crl", "http://lists.example/2.crl"
pointed = server(root, extensions=points(HERE))
KEPT = frozenset([x509.ReasonFlags.key_compromise])
again = authority("root of lists", usage=SIGNS, identifiers=True)
#: A certificate for the key of `between` by the same root, which nobody took back.
renewed = authority("between lists", root, usage=SIGNS, key=between.key)

LISTS = [
    listed("nothing revoked", YES, NONE),
    listed("the server revoked", NO, revocation_list(root, leaf), says="the server's certificate is revoked"),
    listed("another revoked", YES, revocation_list(root, below)),
    listed("the server revoked, verify-ca", NO, revocation_list(root, leaf), mode="verify-ca"),
    listed("the server revoked, require with roots", NO, revocation_list(root, leaf), mode="require"),
    of("lists: the server revoked, unchecked", YES, leaf, roots=None, mode="require", crl=revocation_list(root, leaf)),
    listed("the authority between revoked", NO, revocation_list(root, between), NONE_BETWEEN, **BOTH, says='"between lists" is revoked'),
    listed("the authority between revoked, in the file", NO, revocation_list(root, between), NONE_BETWEEN, cert=below, behind=[between], roots=[between, root], says='"between lists" is revoked'),
    listed("the authority between revoked, only in the file", NO, revocation_list(root, between), NONE_BETWEEN, cert=below, roots=[root, between]),
    listed("nothing revoked, in the file", YES, NONE, NONE_BETWEEN, cert=below, roots=[between, root]),
    listed("the authority between revoked, the server sends one that is not", NO, revocation_list(root, between), NONE_BETWEEN, cert=below, behind=[renewed], roots=[root, between], says="is revoked"),
    listed("the root revoked by itself", NO, revocation_list(root, root), says='"root of lists" is revoked'),
    listed("the server below revoked", NO, NONE, revocation_list(between, below), **BOTH),
    listed("nothing revoked, below", YES, NONE, NONE_BETWEEN, **BOTH),
    listed("no list of the authority between", NO, NONE, **BOTH, says='no revocation list'),
    listed("no list of the root", NO, NONE_BETWEEN, **BOTH, says='"root of lists"'),
    listed("of another authority", NO, revocation_list(other), says="no revocation list"),
    listed("of another authority as well", YES, revocation_list(other), NONE),
    listed("by another key under that name", NO, revocation_list(root, signer=other), says="signature"),
    listed("by another key and by the right one", NO, revocation_list(root, signer=other), NONE, kecoa=YES, why="one valid revocation list of an authority is enough"),
    listed("expired", NO, revocation_list(root, since=-9, until=-1), says="expired"),
    listed("not in force yet", NO, revocation_list(root, since=1), says="not in force yet"),
    listed("expired, and a new one", YES, revocation_list(root, since=-9, until=-1), NONE),
    listed("expired with the server revoked, and a new one without it", YES, revocation_list(root, leaf, since=-9, until=-1), NONE, kecoa=NO, why=STAYS),
    listed("the server revoked in the second", NO, NONE, revocation_list(root, leaf, since=-1), says="is revoked"),
    listed("the server revoked in the older of two", YES, revocation_list(root, leaf, since=-3), NONE, kecoa=NO, why=STAYS),
    listed("of an authority without key usage", YES, revocation_list(plain), cert=of_plain, roots=[plain]),
    listed("of an authority that may not sign lists", NO, revocation_list(no_lists), cert=server(no_lists), roots=[no_lists], says="may not sign revocation lists"),
    listed("of an authority between that may not sign lists", NO, NONE, revocation_list(between_no_lists), cert=server(between_no_lists), behind=[between_no_lists], says="may not sign revocation lists"),
    listed("of a server that signed itself", YES, revocation_list(own), cert=own, roots=[own]),
    listed("of a server that signed itself, revoked", NO, revocation_list(own, own), cert=own, roots=[own]),
    listed("none of a server that signed itself", NO, NONE, cert=own, roots=[own]),
    listed("on hold", NO, revocation_list(root, leaf, entry_extensions=[(x509.CRLReason(x509.ReasonFlags.certificate_hold), False)])),
    listed("taken off the list", YES, revocation_list(root, leaf, entry_extensions=[(x509.CRLReason(x509.ReasonFlags.remove_from_crl), False)]), kecoa=NO, why=STAYS),
    listed("an entry with an unknown critical extension", NO, revocation_list(root, below, entry_extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True)]), says="1.2.3.4"),
    listed("with a number", YES, revocation_list(root, extensions=[(x509.CRLNumber(7), False)])),
    listed("with an unknown critical extension", NO, revocation_list(root, extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), True)]), says="1.2.3.4"),
    listed("with an unknown extension", YES, revocation_list(root, extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\0"), False)])),
    listed("of servers only", NO, revocation_list(root, extensions=partial(users=True))),
    listed("of authorities only", NO, revocation_list(root, extensions=partial(authorities=True))),
    listed("one of servers, one of authorities", YES, revocation_list(root, extensions=partial(users=True)), revocation_list(root, extensions=partial(authorities=True))),
    listed("one of servers, one of authorities, the server revoked", NO, revocation_list(root, leaf, extensions=partial(users=True)), revocation_list(root, extensions=partial(authorities=True))),
    listed("of attribute certificates only", NO, revocation_list(root, extensions=partial(attributes=True))),
    listed("indirect", NO, revocation_list(root, extensions=partial(indirect=True)), says="revocation list"),
    listed("of some reasons", NO, revocation_list(root, extensions=partial(reasons=KEPT))),
    listed("of a place that the certificate names", YES, NONE, revocation_list(root, extensions=partial(where=HERE)), cert=pointed),
    listed("of a place only", NO, revocation_list(root, extensions=partial(where=HERE)), cert=pointed),
    listed("of another place", NO, revocation_list(root, extensions=partial(where=THERE)), cert=pointed),
    listed("a change to another list", NO, revocation_list(root, extensions=[(x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True)]), says="revocation list"),
    listed("a change to another list, and that", YES, NONE, revocation_list(root, extensions=[(x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True)])),
    listed("a change that revokes the server, and the whole list", YES, NONE, revocation_list(root, leaf, extensions=[(x509.CRLNumber(8), False), (x509.DeltaCRLIndicator(7), True)]), kecoa=NO, why=STAYS),
    listed("of a root of RSA", YES, revocation_list(rsa := authority("RSA root of lists", key=rsa_key())), cert=server(rsa), roots=[rsa]),
    listed("of the root's name in capitals", YES, revocation_list(shouting := authority("ROOT OF LISTS", key=root.key, usage=SIGNS))),
    listed("with the authority's key identifier", YES, revocation_list(again, extensions=[(x509.AuthorityKeyIdentifier.from_issuer_public_key(again.key.public_key()), False)]), cert=server(again, identifiers=True), roots=[again]),
    listed("with the key identifier of another", NO, revocation_list(again, extensions=[(x509.AuthorityKeyIdentifier(b"12345678", None, None), False)]), cert=server(again, identifiers=True), roots=[again]),
    listed("a byte order mark in front", YES, b"\xef\xbb\xbf", NONE),
    listed("a byte order mark in front of the list that revokes the server", NO, b"\xef\xbb\xbf", revocation_list(root, leaf, since=-1), NONE, says="is revoked"),
    listed("a byte order mark in the middle", NO, NONE, b"\xef\xbb\xbf", revocation_list(root, leaf, since=-1), says="is revoked"),
    listed("an empty file", YES, b"", kecoa=NO, why=MISSING, says="found none"),
    listed("no list in the file", YES, b"hello\n", kecoa=NO, why=MISSING),
    listed("a damaged list", YES, pem(b"\x30\x03\x02\x01\x01", "X509 CRL"), kecoa=NO, why=MISSING, says="is damaged"),
    listed("a damaged list behind a good one", YES, NONE, pem(b"\x30\x03\x02\x01\x01", "X509 CRL"), kecoa=NO, why=MISSING),
    listed("certificates in the file", NO, root.pem),
    of("lists: a directory", YES, leaf, roots=[root], crldir={f"{hash_of('root of lists')}.r0": NONE}),
    of("lists: a directory, revoked", NO, leaf, roots=[root], crldir={f"{hash_of('root of lists')}.r0": revocation_list(root, leaf)}),
    of("lists: a directory, revoked in the second of a name", NO, leaf, roots=[root], crldir={f"{hash_of('root of lists')}.r0": NONE, f"{hash_of('root of lists')}.r1": revocation_list(root, leaf, since=-1)}),
    of("lists: a directory, another name of the file", NO, leaf, roots=[root], crldir={"a.pem": NONE}, kecoa=YES, why="every file in `sslcrldir` counts, whatever its name"),
    of("lists: an empty directory", NO, leaf, roots=[root], crldir={}),
    of("lists: a directory and a file", NO, leaf, roots=[root], crl=NONE, crldir={f"{hash_of('root of lists')}.r0": revocation_list(root, leaf, since=-1)}),
    of("lists: at home", NO, leaf, roots=[root], home={"root.crl": revocation_list(root, leaf)}),
    of("lists: at home, sslcrl is empty", NO, leaf, roots=[root], more="sslcrl=''", home={"root.crl": revocation_list(root, leaf)}, says="is revoked"),
    of("lists: at home, both are empty", NO, leaf, roots=[root], more="sslcrl='' sslcrldir=''", home={"root.crl": revocation_list(root, leaf)}, says="is revoked"),
    of("lists: a directory, a byte order mark", NO, leaf, roots=[root], crldir={f"{hash_of('root of lists')}.r0": b"\xef\xbb\xbf" + revocation_list(root, leaf)}, says="is revoked"),
    of("lists: at home, of another", NO, leaf, roots=[root], home={"root.crl": revocation_list(other)}),
]  # fmt: skip

# What `openssl ca -gencrl` makes: version 1.
name = root.name.public_bytes()
fields = der(
    0x30,
    bytes.fromhex("300a06082a8648ce3d040302"),
    name,
    der(0x17, b"240101000000Z"),
    der(0x17, b"491231000000Z"),
)


def version_1(fields: bytes) -> bytes:
    signature = root.key.sign(fields, ec.ECDSA(hashes.SHA256()))
    return pem(
        der(0x30, fields, bytes.fromhex("300a06082a8648ce3d040302"), der(0x03, b"\0", signature)), "X509 CRL"
    )


LISTS.append(listed("of version 1", YES, version_1(fields)))
