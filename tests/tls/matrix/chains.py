"""Who has signed the certificate: roots, authorities in between, what each may do, and until when."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519

from tests.tls.chains import HOST, Cert, authority, common, der, pem, revocation_list, rsa_key, server
from tests.tls.matrix import NO, ROOT, YES, Case, of

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def NETSCAPE(types: bytes) -> x509.ExtensionType:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.16.840.1.113730.1.1"), types)


ALTERNATE = "one valid chain to a root is enough"

between = authority("between", ROOT)
below = server(between)
leaf = server(ROOT)
other = authority("other root")
#: Of the same name as the root, with a key of its own.
twin = authority("root of the matrix")
own = server(None, "own")
own_authority = server(None, "own", ca=True)


def rooted(name: str, libpq: str, *, says: str = "", kecoa: str = "", why: str = "", **of_root: Any) -> Case:
    """A root of that sort, which is trusted and has signed the server's certificate."""
    root = authority(of_root.pop("subject", "special root"), **of_root)
    return of(f"a root {name}", libpq, server(root), roots=[root], says=says, kecoa=kecoa, why=why)


def through(
    name: str, libpq: str, *, says: str = "", kecoa: str = "", why: str = "", **of_between: Any
) -> Case:
    """An authority of that sort between the root and the server's certificate."""
    special = authority("special between", ROOT, **of_between)
    return of(
        f"an authority between {name}",
        libpq,
        server(special),
        behind=[special],
        says=says,
        kecoa=kecoa,
        why=why,
    )


def by_root(name: str, libpq: str, *, says: str = "", kecoa: str = "", why: str = "", **of_leaf: Any) -> Case:
    return of(f"a server {name}", libpq, server(ROOT, **of_leaf), says=says, kecoa=kecoa, why=why)


SHAPES = [
    of("signed by the root", YES, leaf),
    of("an unknown root", NO, server(other), says="none of the authorities"),
    of("a root of the same name", NO, server(twin), says="signature"),
    of("two roots of one name, the right one first", YES, leaf, roots=[ROOT, twin]),
    of("two roots of one name, the right one last", NO, leaf, roots=[twin, ROOT], kecoa=YES, why=ALTERNATE),
    of("a root twice", YES, leaf, roots=[ROOT, ROOT]),
    of("a root among others", YES, leaf, roots=[other, ROOT, own_authority]),
    of("the root is sent as well", YES, leaf, behind=[ROOT]),
    of("an authority between", YES, below, behind=[between]),
    of("an authority between and the root", YES, below, behind=[between, ROOT]),
    of("an authority between, sent last", YES, below, behind=[other, ROOT, between]),
    of("an authority between, left out", NO, below, says="ssl_cert_file"),
    of("an authority between in the file", YES, below, roots=[between, ROOT]),
    of("an authority between in the file, root first", YES, below, roots=[ROOT, between]),
    of("an authority between in the file and sent", YES, below, behind=[between], roots=[between, ROOT]),
    of("an authority between without its root", NO, below, roots=[between], says="root"),
    of("an authority between without its root, and sent", NO, below, behind=[between], roots=[between]),
    of("an authority between without its root, which is sent", NO, below, behind=[between, ROOT], roots=[between]),
    of("an authority between in the file, below one that is sent", NO, server(lower := authority("lower", between)), behind=[between], roots=[lower, ROOT], kecoa=YES, why=ALTERNATE),
    of("the server's certificate in the file", NO, leaf, roots=[leaf], says="root"),
    of("the server's certificate and its root in the file", YES, leaf, roots=[leaf, ROOT]),
    of("signed by itself, unknown", NO, own, says="signed by itself"),
    of("signed by itself, in the file", YES, own, roots=[own]),
    of("signed by itself as an authority, in the file", YES, own_authority, roots=[own_authority]),
    of("signed by itself, another of that name in the file", NO, own, roots=[server(None, "own")], says="signed by itself"),
    of("signed by itself, the key's other certificate in the file", NO, own, roots=[server(None, "own", key=own.key)]),
    of("signed by itself, without basic constraints, in the file", YES, (bare := server(None, "own", ca=None)), roots=[bare]),
    of("signed by itself, for clients, in the file", NO, (clients := server(None, "own", purposes=["client"])), roots=[clients], says="servers"),
    of("signed by itself, expired, in the file", NO, (old := server(None, "own", until=-1)), roots=[old], says="has expired"),
    of("signed by itself, version 1, in the file", YES, (first := server(None, HOST, names=[], ca=None).version_1()), roots=[first]),
    of("signed by a server's certificate that is trusted", NO, server(own), roots=[own], says="no authority"),
    of("signed by a server's certificate that the root has signed", NO, server(leaf), behind=[leaf]),
    of("signed by the key of another authority", NO, server(ROOT).spoilt(), says="signature"),
    of("an authority between with a wrong signature", NO, server(broken := authority("between", ROOT).spoilt()), behind=[broken], says="signature"),
    of("two of one name between, the right one first", YES, below, behind=[between, authority("between", other)]),
    of("two of one name between, the right one last", NO, below, behind=[authority("between", other), between], kecoa=YES, why=ALTERNATE),
    of("two of one name and key between, only one of a known root", NO, below, behind=[authority("between", other, key=between.key), between], kecoa=YES, why=ALTERNATE),
    of("two of one name and key between, one expired", YES, below, behind=[authority("between", ROOT, key=between.key, until=-1), between]),
    of("a root that another root has signed", YES, leaf, behind=[authority("root of the matrix", other, key=ROOT.key)]),
    of("a root that another, known one has signed", YES, leaf, behind=[authority("root of the matrix", other, key=ROOT.key)], roots=[other]),
    of("a circle", NO, server(circle := authority("circle", authority("elc"))), behind=[circle, authority("elc", circle, key=circle.signer.key)]),
    of("certificates that have nothing to do with it", YES, leaf, behind=[authority(f"stranger {n}") for n in range(20)]),
    of("an authority between whose subject is in capitals", YES, server(shouting := authority("BETWEEN", ROOT), issuer_name=common("between")), behind=[shouting]),
    of("an authority between whose subject has more spaces", YES, server(spaced := authority(" in  between ", ROOT), issuer_name=common("in between")), behind=[spaced]),
]  # fmt: skip


def chain(count: int, **more: Any) -> list[Cert]:
    found = [ROOT]
    for number in range(count):
        found.insert(0, authority(f"authority {number}", found[0], **more))
    return found[:-1]


DEEP = [
    of(f"{count} authorities between", YES, server(found[0]), behind=found)
    for count, found in [(count, chain(count)) for count in (2, 5, 6, 7, 8, 20)]
]

limited = authority("limited", pathlen=0, identifiers=True)
limited_one = authority("limited", pathlen=1)
under = authority("under", limited_one)
itself_issued = authority("limited", limited, identifiers=True)
PATHS = [
    of("path length 0, a server below", YES, server(limited), roots=[limited]),
    of("path length 0, an authority below", NO, server(x := authority("x", limited)), behind=[x], roots=[limited], says="may have no authority below"),
    of("path length 0, an authority of the same name below", YES, server(itself_issued, identifiers=True), behind=[itself_issued], roots=[limited]),
    of("path length 1, an authority below", YES, server(under), behind=[under], roots=[limited_one]),
    of("path length 1, two below", NO, server(y := authority("y", under)), behind=[y, under], roots=[limited_one], says="authorities below"),
    of("path length 0 between, an authority below", NO, server(z := authority("z", (w := authority("w", ROOT, pathlen=0)))), behind=[z, w]),
    of("path length 0 between, a server below", YES, server(w), behind=[w]),
]  # fmt: skip

DATES = [
    by_root("that has expired", NO, until=-1, says="the server's certificate has expired"),
    by_root("that is not valid yet", NO, since=2, says="the server's certificate is not valid yet"),
    of("an expired server, verify-ca", NO, server(ROOT, until=-1), mode="verify-ca"),
    of("an expired server, require with roots", NO, server(ROOT, until=-1), mode="require"),
    rooted("that has expired", NO, until=-1, says='"special root" has expired'),
    rooted("that is not valid yet", NO, since=2, says='"special root" is not valid yet'),
    through("that has expired", NO, until=-1, says='"special between" has expired'),
    through("that is not valid yet", NO, since=2, says='"special between" is not valid yet'),
    of("a root that has expired, and its successor", YES, server(worn := authority("worn", until=-1)), roots=[worn, authority("worn", key=worn.key)]),
    of("a root and what it was before", YES, server(worn), roots=[authority("worn", key=worn.key), worn]),
    of("a server valid into the year 2060", YES, server(ROOT, until=12500)),
]  # fmt: skip

MARKS = [
    rooted("without basic constraints", NO, ca=None, says="no authority"),
    rooted("without basic constraints, for signing certificates", YES, ca=None, usage=["key_cert_sign"]),
    rooted("that is no authority", NO, ca=False, says="no authority"),
    rooted("for signing certificates", YES, usage=["key_cert_sign", "crl_sign"]),
    rooted("that may not sign certificates", NO, usage=["crl_sign"], says="may not sign certificates"),
    rooted("for signatures only", NO, usage=["digital_signature"]),
    rooted("for clients", NO, purposes=["client"], says="servers"),
    rooted("for servers", YES, purposes=["server"]),
    rooted("for any purpose", NO, purposes=["any"]),
    rooted("with an unknown critical extension", NO, extensions=[(UNKNOWN, True)], says="1.2.3.4"),
    rooted("with an unknown extension", YES, extensions=[(UNKNOWN, False)]),
    rooted("with identifiers", YES, identifiers=True),
    of("a root of version 1", YES, server(v1 := authority("v1", ca=None).version_1()), roots=[v1]),
    of("an authority of version 1 between", NO, server(v1b := authority("v1b", ROOT, ca=None).version_1()), behind=[v1b], says="no authority"),
    through("without basic constraints", NO, ca=None, says="no authority"),
    through("without basic constraints, for signing certificates", NO, ca=None, usage=["key_cert_sign"]),
    through("that is no authority", NO, ca=False, says="no authority"),
    through("that is no authority, for signing certificates", NO, ca=False, usage=["key_cert_sign"]),
    through("for signing certificates", YES, usage=["key_cert_sign"]),
    through("that may not sign certificates", NO, usage=["crl_sign"], says="may not sign certificates"),
    through("for clients", NO, purposes=["client"], says="servers"),
    through("for servers", YES, purposes=["server", "client"]),
    through("for any purpose", NO, purposes=["any"]),
    through("with an unknown critical extension", NO, extensions=[(UNKNOWN, True)], says="1.2.3.4"),
    through("with an unknown extension", YES, extensions=[(UNKNOWN, False)]),
    through("with critical policies", YES, extensions=[(x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True)]),
    through("with policy constraints", YES, extensions=[(x509.PolicyConstraints(0, None), True)]),
    through("that inhibits any policy", YES, extensions=[(x509.InhibitAnyPolicy(0), True)]),
    by_root("without basic constraints", YES, ca=None),
    by_root("that is an authority", YES, ca=True),
    by_root("that is an authority with a path length", YES, ca=True, pathlen=0),
    of("a server that is an authority, below one", YES, server(between, ca=True), behind=[between]),
    by_root("for servers", YES, purposes=["server"]),
    by_root("for servers and clients", YES, purposes=["client", "server"]),
    by_root("for clients", NO, purposes=["client"], says="servers"),
    by_root("for any purpose", NO, purposes=["any"], says="servers"),
    by_root("for servers and any purpose", YES, purposes=["any", "server"]),
    by_root("for signing code", NO, purposes=["code"]),
    by_root("for signatures", YES, usage=["digital_signature"]),
    by_root("for encipherment and signatures", YES, usage=["key_encipherment", "digital_signature"]),
    by_root("for key agreement", YES, usage=["key_agreement"]),
    by_root("for content commitment only", NO, usage=["content_commitment"], says="signatures"),
    by_root("for signing certificates only", NO, usage=["key_cert_sign"]),
    by_root("for nothing", NO, usage=["data_encipherment"]),
    by_root("with an unknown critical extension", NO, extensions=[(UNKNOWN, True)], says="1.2.3.4"),
    by_root("with an unknown extension", YES, extensions=[(UNKNOWN, False)]),
    by_root("with critical names", YES, names=[], extensions=[(x509.SubjectAlternativeName([x509.DNSName(HOST)]), True)]),
    by_root("with a critical purpose", YES, extensions=[(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]), True)]),
    by_root("that must staple", YES, extensions=[(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)]),
    of("a server of version 1", YES, server(ROOT, HOST, names=[], ca=None).version_1()),
    of("a server of version 1, below an authority", YES, server(between, HOST, names=[], ca=None).version_1(), behind=[between]),
    by_root("of Netscape's type for servers", YES, extensions=[(NETSCAPE(b"\x03\x02\x06\x40"), False)]),
    by_root("of Netscape's type for clients", NO, extensions=[(NETSCAPE(b"\x03\x02\x07\x80"), False)], says="servers"),
    by_root("of Netscape's type for servers, critical", YES, extensions=[(NETSCAPE(b"\x03\x02\x06\x40"), True)]),
    by_root("with a critical name of its issuer", NO, extensions=[(x509.IssuerAlternativeName([x509.DNSName("y")]), True)]),
    by_root("with a serial number of zero bytes in front", YES, serial=0x80),
    by_root("with a long serial number", YES, serial=(1 << 158) + 1),
    by_root("valid since before 1970", YES, since=-25_000),
]  # fmt: skip

marked = authority("marked", identifiers=True)
AUTHORITY_KEY = x509.AuthorityKeyIdentifier
IDENTIFIERS = [
    of("identifiers that fit", YES, server(marked, identifiers=True), roots=[marked]),
    of("an authority's key identifier of another key", NO, server(marked, extensions=[(AUTHORITY_KEY(b"12345678", None, None), False)]), roots=[marked], says="identifier"),
    of("an authority's key identifier, and none in the root", YES, server(ROOT, extensions=[(AUTHORITY_KEY(b"12345678", None, None), False)])),
    of("an authority's serial number", YES, server(ROOT, extensions=[(AUTHORITY_KEY(None, [x509.DirectoryName(ROOT.name)], ROOT.serial), False)])),
    of("an authority's serial number of another", NO, server(ROOT, extensions=[(AUTHORITY_KEY(None, [x509.DirectoryName(ROOT.name)], ROOT.serial + 1), False)])),
    of("an authority's issuer of another", NO, server(ROOT, extensions=[(AUTHORITY_KEY(None, [x509.DirectoryName(common("y"))], ROOT.serial), False)])),
]  # fmt: skip

SHA512, SHA384, SHA224 = hashes.SHA512(), hashes.SHA384(), hashes.SHA224()
P521 = ec.SECP521R1()
rsa_root = authority("RSA root", key=rsa_key())
NOT_HERE = "keys and signatures can be RSA of 2048 bits or more, ECDSA on P-256, P-384 or P-521, and Ed25519"


def signed(
    name: str,
    libpq: str,
    root: Cert,
    *,
    kecoa: str = "",
    why: str = "",
    says: str = "",
    more: str = "",
    **of_leaf: Any,
) -> Case:
    return of(name, libpq, server(root, **of_leaf), roots=[root], kecoa=kecoa, why=why, says=says, more=more)


def keyed(key: Any, function: Any = None) -> Cert:
    return authority("keyed root", key=key, hash_function=function)


NEW = ec.generate_private_key
TLS12 = "ssl_max_protocol_version=TLSv1.2"
KEYS = [
    signed("RSA with SHA-256", YES, rsa_root),
    signed("RSA with SHA-384", YES, rsa_root, hash_function=SHA384),
    signed("RSA with SHA-512", YES, rsa_root, hash_function=SHA512),
    signed("RSA with SHA-224", YES, rsa_root, hash_function=SHA224, kecoa=NO, why=NOT_HERE, says="sha224"),
    signed("RSA-PSS with SHA-256", YES, rsa_root, pss=True),
    signed("RSA-PSS with SHA-384", YES, rsa_root, pss=True, hash_function=SHA384),
    signed("RSA-PSS with SHA-512", YES, rsa_root, pss=True, hash_function=SHA512),
    of("RSA with SHA-1", NO, server(rsa_root).weakly_signed(hashes.SHA1(), 5), roots=[rsa_root], says="sha1With"),
    of("RSA with MD5", NO, server(rsa_root).weakly_signed(hashes.MD5(), 4), roots=[rsa_root], says="md5With"),
    of("a root that has signed itself with SHA-1", YES, server(old_root := authority("old", key=rsa_key()).weakly_signed(hashes.SHA1(), 5)), roots=[old_root]),
    of("an authority between signed with SHA-1", NO, server(w1 := authority("w1", rsa_root).weakly_signed(hashes.SHA1(), 5)), behind=[w1], roots=[rsa_root], says="sha1With"),
    signed("a server's RSA key", YES, ROOT, key=rsa_key()),
    signed("a server's RSA key, TLS 1.2", YES, ROOT, key=rsa_key(), more=TLS12),
    signed("a server's RSA key of 3072 bits", YES, ROOT, key=rsa_key(3072)),
    signed("a server's RSA key of 1024 bits", NO, ROOT, key=rsa_key(1024), says="1024 bits"),
    signed("a server's RSA key of 1024 bits, TLS 1.2", NO, ROOT, key=rsa_key(1024), says="1024 bits", more=TLS12),
    signed("a root's RSA key of 1024 bits", NO, keyed(rsa_key(1024)), says="1024 bits"),
    of("a server's RSA key of 1024 bits, unchecked", YES, server(ROOT, key=rsa_key(1024)), roots=None, mode="require", kecoa=NO, why=NOT_HERE, says="1024 bits"),
    *(
        signed(f"ECDSA by {curve.name} with {function.name}", YES, keyed(NEW(curve)), hash_function=function)
        for curve in (ec.SECP256R1(), ec.SECP384R1(), P521)
        for function in (hashes.SHA256(), SHA384, SHA512)
    ),
    signed("ECDSA by secp256r1 with SHA-224", YES, ROOT, hash_function=SHA224, kecoa=NO, why=NOT_HERE, says="SHA224"),
    signed("a server's key of P-384", YES, ROOT, key=NEW(ec.SECP384R1())),
    signed("a server's key of P-521", YES, ROOT, key=NEW(P521)),
    signed("a server's key of P-521, TLS 1.2", YES, ROOT, key=NEW(P521), more=TLS12, kecoa=NO,
           why="a key on P-521 needs TLS 1.3", says="nothing in common"),
    of("a server's key of P-521, unchecked", YES, server(ROOT, key=NEW(P521)), roots=None, mode="require"),
    signed("a server's key of P-521 below P-521", YES, keyed(NEW(P521), SHA512), key=NEW(P521), hash_function=SHA512),
    signed("a server's key of P-256, TLS 1.2", YES, ROOT, more=TLS12),
    signed("a server's key of secp256k1, TLS 1.2", NO, ROOT, key=NEW(ec.SECP256K1()), more=TLS12),
    signed("a root's key of secp256k1", YES, keyed(NEW(ec.SECP256K1())), kecoa=NO, why=NOT_HERE, says="1.3.132.0.10"),
    signed("a root's key of brainpoolP256r1", YES, keyed(NEW(ec.BrainpoolP256R1())), kecoa=NO, why=NOT_HERE, says="brainpoolP256r1"),
    signed("a root's key of P-192", NO, keyed(NEW(ec.SECP192R1())), says=""),
    signed("a root's key of P-224", YES, keyed(NEW(ec.SECP224R1())), kecoa=NO, why=NOT_HERE),
    signed("a server's key of Ed25519", YES, ROOT, key=ed25519.Ed25519PrivateKey.generate()),
    signed("a server's key of Ed25519, TLS 1.2", YES, ROOT, key=ed25519.Ed25519PrivateKey.generate(), more=TLS12),
    signed("a server's key of Ed448", YES, ROOT, key=ed448.Ed448PrivateKey.generate(), kecoa=NO, why=NOT_HERE, says="Ed448"),
    of("a server's key of Ed448, unchecked", YES, server(ROOT, key=ed448.Ed448PrivateKey.generate()), roots=None, mode="require", kecoa=NO, why=NOT_HERE, says="Ed448"),
    signed("a root's key of Ed25519", YES, keyed(ed25519.Ed25519PrivateKey.generate()), more="channel_binding=disable"),
    signed("a root's key of Ed448", YES, keyed(ed448.Ed448PrivateKey.generate()), kecoa=NO, why=NOT_HERE, says="Ed448", more="channel_binding=disable"),
]  # fmt: skip


def file(name: str, libpq: str, *roots: Cert | bytes, **more: Any) -> Case:
    return of(f"a file of roots {name}", libpq, more.pop("leaf", leaf), roots=roots, **more)


FILES = [
    file("with text between", YES, b"Subject: nothing\n\n", ROOT, b"\n# and behind\n"),
    file("with Windows' line ends", YES, ROOT.pem.replace(b"\n", b"\r\n")),
    file("without a line end at its end", YES, ROOT.pem.rstrip(b"\n")),
    file("with a key in it", YES, own.key_pem, ROOT),
    file("with a revocation list in it", YES, revocation_list(ROOT), ROOT),
    file("with a list in it that revokes the server", YES, revocation_list(ROOT, leaf), ROOT),
    file("that is empty", NO, b""),
    file("without a certificate", NO, b"hello\n", says="found none"),
    file("that is binary", NO, ROOT.der, says="PEM"),
    file("with a damaged certificate in front", NO, pem(b"\x30\x03\x02\x01\x01"), ROOT),
    file("with a damaged certificate behind", NO, ROOT, pem(b"\x30\x03\x02\x01\x01")),
    file("with base64 that is none behind", NO, ROOT, b"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
    file("that is cut", NO, ROOT.pem[:-40]),
    file("that is cut in the second", NO, ROOT, other.pem[:-40]),
    file("marked as X509", YES, ROOT.pem.replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(b"END CERT", b"END X509 CERT")),
    file("marked as trusted", YES, ROOT.pem.replace(b"BEGIN CERT", b"BEGIN TRUSTED CERT").replace(b"END CERT", b"END TRUSTED CERT"), kecoa=NO,
         why="kecoa does not read OpenSSL's own form `TRUSTED CERTIFICATE`"),
    file("that starts with a byte order mark", YES, b"\xef\xbb\xbf", other, ROOT),
    file("that starts with a byte order mark and the root", YES, b"\xef\xbb\xbf", ROOT),
    file("with a byte order mark in the middle", YES, other, b"\xef\xbb\xbf", ROOT),
    file("with blanks behind its lines", YES, ROOT.pem.replace(b"\n", b" \t\n")),
    file("with 300 roots", YES, *(authority(f"root {n}") for n in range(300)), ROOT),
]  # fmt: skip

SINCE = der(0x17, b"250101000000Z")


def timed(name: str, libpq: str, until: bytes, since: bytes = SINCE) -> Case:
    return of(f"dates: {name}", libpq, server(ROOT).dated(since, until))


def utc(text: str) -> bytes:
    return der(0x17, text.encode())


def generalized(text: str) -> bytes:
    return der(0x18, text.encode())


TIMES = [
    timed("the last second of 2049", YES, utc("491231235959Z")),
    timed("the year 50 is 1950", NO, utc("500101000000Z")),
    timed("the first second of 2050", YES, generalized("20500101000000Z")),
    timed("2049 with a year of four digits", YES, generalized("20491231235959Z")),
    timed("the end of time", YES, generalized("99991231235959Z")),
    timed("since 1950", YES, utc("491231235959Z"), utc("500101000000Z")),
    timed("since 1900", YES, utc("491231235959Z"), generalized("19000101000000Z")),
    timed("a leap second", NO, utc("481231235960Z")),
    timed("since a leap second", NO, utc("491231235959Z"), utc("161231235960Z")),
    timed("the 30th of February", NO, utc("490230000000Z")),
    timed("the 29th of February of no leap year", NO, utc("490229000000Z")),
    timed("the 29th of February of a leap year", YES, utc("480229000000Z")),
    timed("the 29th of February of 2100", NO, generalized("21000229000000Z")),
    timed("the 24th hour", NO, utc("491231240000Z")),
    timed("without seconds", NO, utc("4912312359Z")),
    timed("with an offset", NO, utc("491231235959+0000")),
    timed("with a fraction", NO, generalized("20500101000000.5Z")),
    timed("without a zone", NO, utc("491231235959")),
]

CHAINS = TIMES + SHAPES + DEEP + PATHS + DATES + MARKS + IDENTIFIERS + KEYS + FILES
