"""What each sslmode makes of a server, by where the roots come from; and how the two begin to talk."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519

from tests.tls.chains import HOST, Cert, authority, rsa_key, server
from tests.tls.matrix import CLEAR, NO, ROOT, YES, Case, of

UNSURE = "`allow` and `prefer` never check a certificate"
CIPHERS = (
    "kecoa does not speak TLS before 1.2, nor ciphers without forward secrecy or authenticated encryption"
)
other = authority("other root")
good = server(ROOT)
kinds = {
    "a good certificate": good,
    "an unknown authority": server(other),
    "an expired certificate": server(ROOT, until=-1),
    "another name": server(ROOT, names=["other.example"]),
}


def modes() -> list[Case]:
    """Each kind of certificate in each mode; the roots in sslrootcert, at home, or none."""
    found = []
    for kind, leaf in kinds.items():
        bad_chain = kind in ("an unknown authority", "an expired certificate")
        for where in ("sslrootcert", "home", "nowhere"):
            for mode in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"):
                place: dict[str, Any] = {"roots": [ROOT]} if where == "sslrootcert" else {"roots": None}
                if where == "home":
                    place["home"] = {"root.crt": ROOT.pem}
                # The server lets nobody in without TLS.
                for clear in (True, False):
                    kecoa = why = ""
                    if mode == "disable":
                        libpq = CLEAR if clear else NO
                    elif mode == "allow" and clear:
                        libpq = CLEAR
                    elif mode in ("verify-ca", "verify-full") and where == "nowhere":
                        libpq = NO
                    elif bad_chain and where != "nowhere":
                        libpq = CLEAR if mode == "prefer" and clear else NO
                        if mode in ("allow", "prefer"):
                            kecoa, why = YES, UNSURE
                    elif kind == "another name" and mode == "verify-full":
                        libpq = NO
                    else:
                        libpq = YES
                    name = f"{mode}: {kind}, roots: {where}" + ("" if clear else ", TLS demanded")
                    found.append(
                        of(
                            name,
                            libpq,
                            leaf,
                            mode=mode,
                            served={"clear": clear},
                            kecoa=kecoa,
                            why=why,
                            **place,
                        )
                    )
    return found


DIRECT = "sslnegotiation=direct"
SAME = f"host={HOST} hostaddr=127.0.0.1"


def spoken(
    name: str, libpq: str, leaf: Any = good, *, more: str = "", served: Any = None, **rest: Any
) -> Case:
    return of(name, libpq, leaf, more=more, served=served or {}, **rest)


OLD = {"versions": ("TLSv1_2", "TLSv1_2")}
NEW = {"versions": ("TLSv1_3", "TLSv1_3")}
OLDEST = {"versions": ("TLSv1", "TLSv1_1")}
VERSIONS = "any SSL protocol version between"
TALK = [
    spoken("a server of TLS 1.2", YES, served=OLD),
    spoken("a server of TLS 1.3", YES, served=NEW),
    spoken("a server of TLS 1.1", NO, served=OLDEST, says=VERSIONS),
    spoken("a server of TLS 1.1, allowed", NO, served=OLDEST, more="ssl_min_protocol_version=TLSv1"),
    spoken("at most TLS 1.2, a server of 1.2", YES, served=OLD, more="ssl_max_protocol_version=TLSv1.2"),
    spoken("at most TLS 1.2, a server of 1.3", NO, served=NEW, more="ssl_max_protocol_version=TLSv1.2", says=VERSIONS),
    spoken("at least TLS 1.3, a server of 1.2", NO, served=OLD, more="ssl_min_protocol_version=TLSv1.3", says=VERSIONS),
    spoken("at least TLS 1.3, a server of both", YES, more="ssl_min_protocol_version=TLSv1.3"),
    spoken("at most TLS 1.1", NO, more="ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1"),
    spoken("at most before at least", NO, more="ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2"),
    spoken("a version that is none", NO, more="ssl_min_protocol_version=TLSv9"),
    spoken("direct", YES, more=DIRECT),
    spoken("direct, no ALPN", NO, more=DIRECT, served={"protocols": ()}, says="ALPN"),
    spoken("direct, another ALPN", NO, more=DIRECT, served={"protocols": ("h2",)}, says="ALPN"),
    spoken("asked for, no ALPN", YES, served={"protocols": ()}),
    spoken("asked for, another ALPN", YES, served={"protocols": ("h2",)}),
    spoken("direct, unknown authority", NO, server(other), more=DIRECT),
    spoken("direct, another name", NO, server(ROOT, names=["other.example"]), more=DIRECT),
    spoken("direct, prefer", NO, more=DIRECT, mode="prefer", says="weak sslmode"),
    spoken("direct, require", YES, more=DIRECT, mode="require", roots=None),
    spoken("direct, TLS 1.2", YES, more=DIRECT, served=OLD),
    spoken("no TLS, verify-full", NO, None, says="server does not support SSL, but SSL was required"),
    spoken("no TLS, require", NO, None, mode="require", roots=None),
    spoken("no TLS, prefer", CLEAR, None, mode="prefer", roots=None),
    spoken("no TLS, allow", CLEAR, None, mode="allow", roots=None),
    spoken("an answer that is none", NO, served={"instead": b"HTTP/1.1 400 Bad Request\r\n\r\n"}),
    spoken("an error in place of an answer", NO, served={"instead": b"Eoh no, fork failed\n\0"}),
    spoken("nothing behind the answer", NO, served={"instead": b"S"}, says="closed the connection"),
    spoken("clear text behind the answer", NO, served={"instead": b"S" + b"R\0\0\0\x08\0\0\0\0" * 3}),
    spoken("only one cipher", YES, served={**OLD, "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}),
    spoken("only ciphers without forward secrecy", YES, server(ROOT, key=rsa_key()), served={**OLD, "ciphers": "AES128-GCM-SHA256"},
           kecoa=NO, why=CIPHERS, says="cipher"),
    spoken("only ciphers of CBC", YES, served={**OLD, "ciphers": "ECDHE-ECDSA-AES128-SHA256"}, kecoa=NO,
           why=CIPHERS, says="cipher"),
    spoken("system with less than verify-full", NO, more="sslrootcert=system", roots=None, mode="require", says="weak sslmode"),
    spoken("system, unknown there", NO, more="sslrootcert=system", roots=None, says="the system's authorities"),
]  # fmt: skip

#: Empty: what is at home counts, and words must be given.
EMPTY = [
    spoken(f"empty: {name}", NO, more=f"{name}=''", says=f'invalid {name} value: ""')
    for name in (
        "sslmode",
        "channel_binding",
        "sslnegotiation",
        "sslcertmode",
        "gssencmode",
        "target_session_attrs",
        "load_balance_hosts",
    )
]
EMPTY += [
    spoken(f"empty: {name}", YES, more=f"{name}=''")
    for name in (
        "sslsni",
        "sslcompression",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "require_auth",
    )
]
HOME = {"root.crt": ROOT.pem}
EMPTY += [
    spoken("empty: sslrootcert, the root at home", YES, roots=None, more="sslrootcert=''", home=HOME),
    spoken("empty: sslrootcert, another root at home", NO, server(other), roots=None, more="sslrootcert=''", home=HOME, says="none of the authorities in"),
    spoken("empty: sslrootcert, another root at home, require", NO, server(other), roots=None, mode="require", more="sslrootcert=''", home=HOME),
]  # fmt: skip

signers = authority("clients")
below = authority("below the clients", signers)
maya = Cert("u", signers)
deep = Cert("u", below)
NEW = ec.generate_private_key
NEEDS_13 = "a key on P-521 needs TLS 1.3"
ED448 = "kecoa does not read a client key of Ed448"


def client(name: str, libpq: str, *shown: Cert, **more: Any) -> Case:
    """The server wants a certificate that `signers` vouches for."""
    served = {"clients": signers, **more.pop("served", {})}
    return of(f"a client {name}", libpq, good, client=shown, served=served, **more)


CLIENTS = [
    client("with a certificate", YES, maya),
    client("with a certificate, TLS 1.2", YES, maya, served=OLD),
    client("with a certificate, direct", YES, maya, more=DIRECT),
    client("without a certificate", NO, says="asks for a client certificate"),
    client("without a certificate, TLS 1.2", NO, served=OLD),
    client("with a certificate that is kept back", NO, maya, more="sslcertmode=disable"),
    client("of an unknown authority", NO, Cert("u", other), says="does not know the authority"),
    client("of an unknown authority, TLS 1.2", NO, Cert("u", other), served=OLD),
    client("that has expired", NO, Cert("u", signers, until=-1), says="has expired"),
    client("for servers", NO, Cert("u", signers, purposes=["server"])),
    client("below an authority", YES, deep, below),
    client("below an authority that is left out", NO, deep),
    client("with RSA", YES, Cert("u", signers, key=rsa_key())),
    client("with RSA, TLS 1.2", YES, Cert("u", signers, key=rsa_key()), served=OLD),
    client("with P-384", YES, Cert("u", signers, key=NEW(ec.SECP384R1()))),
    client("with Ed25519", YES, Cert("u", signers, key=ed25519.Ed25519PrivateKey.generate())),
    client("with P-521", YES, Cert("u", signers, key=NEW(ec.SECP521R1()))),
    client("with P-521, TLS 1.2", YES, Cert("u", signers, key=NEW(ec.SECP521R1())), served=OLD, kecoa=NO, why=NEEDS_13),
    client("with Ed448", YES, Cert("u", signers, key=ed448.Ed448PrivateKey.generate()), kecoa=NO, why=ED448, says="Ed25519"),
    client("with RSA of 1024 bits", NO, Cert("u", signers, key=rsa_key(1024))),
    client("with another's key", NO, maya, client_key=deep.key_pem, says="key values mismatch"),
    client("with no key in the file", NO, maya, client_key=b""),
    client("with a key that others can read", NO, maya, client_key_mode=0o644, says="has group or world access"),
    client("with a key that others can write", NO, maya, client_key_mode=0o622),
    client("with a certificate that nobody asks for", YES, maya, served={"clients": None}),
    client("with a certificate that must be asked for", NO, maya, served={"clients": None}, more="sslcertmode=require", says="did not request"),
    client("with a certificate that must be asked for, and is", YES, maya, more="sslcertmode=require"),
    client("with a binary key", YES, maya, client_key=maya.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())),
    client("with a binary key in the old form", YES, maya, client_key=maya.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())),
    client("with a key behind a byte order mark", YES, maya, client_key=b"\xef\xbb\xbf" + maya.key_pem),
    client("with the curve's name in front of the key", YES, maya, client_key=b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + maya.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())),
    client("below an authority, and the root in between", YES, deep, signers, below),
    client("below an authority that comes first in the file", NO, below, deep, client_key=deep.key_pem, says="key values mismatch"),
    client("with certificate and key at home, sslcert is empty", YES, home={"postgresql.crt": maya.pem, "postgresql.key": maya.key_pem}, more="sslcert='' sslkey=''"),
    client("with a damaged certificate", NO, Cert("u", signers).spoilt()),
]  # fmt: skip

MODES = modes() + TALK + EMPTY + CLIENTS
