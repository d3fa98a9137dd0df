"""For which host a certificate is, by the names in it and by the constraints of its authorities."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.tls.chains import HOST, authority, common, constraints, der, server
from tests.tls.matrix import NO, ROOT, YES, Case, of

HELD = "name constraints apply to the host that you connect to, in whatever form the certificate names it"
LATIN = der(0x82, "db.ëxample".encode("latin-1"))
NUL = der(0x82, b"db.example\0.evil.example")
NO_NAMES: dict[str, Any] = {"names": []}


def at(host: str) -> str:
    return f"host={host} hostaddr=127.0.0.1"


def by(subject: Any, *names: str, **more: Any) -> Any:
    return server(ROOT, subject, names=list(names), **more)


PLAIN = [
    of("the host", YES, by("x", HOST)),
    of("the host in capitals", YES, by("x", "DB.EXAMPLE")),
    of("a host asked for in capitals", YES, by("x", HOST), host=at("DB.Example")),
    of(
        "another host",
        NO,
        by("x", "other.example"),
        says='for "other.example" does not match host name "db.example"',
    ),
    of("the second of three", YES, by("x", "a.example", HOST, "b.example")),
    of(
        "many names, none of them",
        NO,
        by("x", *(f"h{n}.example" for n in range(40))),
        says="and 39 other names",
    ),
    of("a trailing dot in the certificate", NO, by("x", "db.example.")),
    of("a trailing dot asked for", NO, by("x", HOST), host=at("db.example.")),
    of("a trailing dot in both", YES, by("x", "db.example."), host=at("db.example.")),
    of("a label more", NO, by("x", "a.db.example")),
    of("a label less", NO, by("x", "example")),
    of("the host at the beginning of a longer name", NO, by("x", "db.example.evil.example")),
    of("a name of one label", YES, by("x", "localhost"), host=at("localhost")),
    of("a name with an underscore", YES, by("x", "db_1.example"), host=at("db_1.example")),
    of("a name in punycode", YES, by("x", "xn--bcher-kva.example"), host=at("xn--bcher-kva.example")),
    of("a name in Unicode as its bytes", NO, by("bücher.example"), host=at("xn--bcher-kva.example")),
    of("a common name in Unicode", YES, by("bücher.example"), host=at("bücher.example")),
    of("NUL in a name", NO, server(ROOT, raw_names=NUL)),
    of("NUL in a name beside a good one", NO, server(ROOT, raw_names=NUL + der(0x82, HOST.encode()))),
    of("a good name beside NUL in a name", YES, server(ROOT, raw_names=der(0x82, HOST.encode()) + NUL)),
    of("NUL in the common name", NO, by("db.example\0.evil.example")),
    of(
        "a name that is no ASCII beside a good one",
        YES,
        server(ROOT, raw_names=LATIN + der(0x82, HOST.encode())),
    ),
    of("an empty name", NO, server(ROOT, raw_names=der(0x82))),
    of("alternative names without any", NO, server(ROOT, raw_names=der(0x86, b"urn:x"))),
    of(
        "an empty list of names",
        YES,
        server(ROOT, HOST, raw_names=b"").changed(
            lambda fields: [
                *fields[:-1],
                der(0xA3, der(0x30, der(0x30, b"\x06\x03\x55\x1d\x11", der(0x04, der(0x30))))),
            ]
        ),
    ),
]

WILDCARDS = [
    of(f"a wildcard: {name} for {host}", accepted, by("x", name), host=at(host))
    for name, host, accepted in [
        ("*.example", "db.example", YES),
        ("*.EXAMPLE", "db.example", YES),
        ("*.example.com", "db.example.com", YES),
        ("*.example.com", "a.db.example.com", NO),
        ("*.example.com", "example.com", NO),
        ("*.com", "db.example.com", NO),
        ("*", "localhost", NO),
        ("*.", "db.", NO),
        ("*.*", "db.example", NO),
        ("*.*.com", "db.example.com", NO),
        ("d*.example", "db.example", NO),
        ("*b.example", "db.example", NO),
        ("db.*", "db.example", NO),
        ("db.*.com", "db.example.com", NO),
        ("**.example", "db.example", NO),
        ("*.xn--bcher-kva.example", "db.xn--bcher-kva.example", YES),
    ]
]
WILDCARDS += [
    of("a wildcard as common name", YES, by("*.example")),
    of("a wildcard as common name, two labels", NO, by("*.example"), host=at("a.db.example")),
    of(
        "a wildcard for an address",
        YES,
        by("x", "*.0.0.1"),
        host="host=127.0.0.1",
        kecoa=NO,
        why="a wildcard never matches an address",
    ),
]

COMMON = [
    of("a common name alone", YES, by(HOST)),
    of("a common name in capitals", YES, by("DB.Example")),
    of("a common name beside another name", NO, by(HOST, "other.example")),
    of("a common name beside an address", YES, by(HOST, "192.0.2.1")),
    of("a common name beside an email address", YES, by(HOST, "email:a@b.example")),
    of("a common name beside a URI", YES, by(HOST, "uri:https://other.example/")),
    of("a common name beside a directory name", YES, by(HOST, "dn:y")),
    of("the first of two common names", YES, by(common(HOST, "other.example"))),
    of("the second of two common names", NO, by(common("other.example", HOST))),
    of("neither name nor common name", NO, by(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, HOST)])),
       says="could not get server's host name"),
    of("the host in the organization only", NO, by(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, HOST), x509.NameAttribute(NameOID.COMMON_NAME, "x")]))),
    of("an empty subject", YES, by(x509.Name([]), HOST)),
    of("an email address that is the host", NO, by("x", "email:db.example@x.example")),
    of("a URI that is the host", NO, by("x", "uri:https://db.example/")),
]  # fmt: skip

V6 = "host=::1 hostaddr=127.0.0.1"
ADDRESSES = [
    of("an address", YES, by("x", "127.0.0.1"), host="host=127.0.0.1"),
    of("another address", NO, by("x", "127.0.0.2"), host="host=127.0.0.1", says='"127.0.0.2" does not match host name "127.0.0.1"'),
    of("an address as a host name", YES, server(ROOT, raw_names=der(0x82, b"127.0.0.1")), host="host=127.0.0.1"),
    of("an address as common name", YES, by("127.0.0.1"), host="host=127.0.0.1"),
    of("an address as common name beside a name", YES, by("127.0.0.1", HOST), host="host=127.0.0.1"),
    of("an address as common name beside an address", NO, by("127.0.0.1", "192.0.2.1"), host="host=127.0.0.1"),
    of("a name for a host that is an address", NO, by("x", HOST), host="host=127.0.0.1"),
    of("an address for a host that is a name", NO, by("x", "127.0.0.1")),
    of("an address of hostaddr only", NO, by("x", "127.0.0.1"), host="hostaddr=127.0.0.1", kecoa=YES,
       why="with `hostaddr` alone, `verify-full` checks for the address"),
    of("a name beside hostaddr", YES, by("x", HOST), host=at(HOST)),
    of("the address of hostaddr beside another host", NO, by("x", "127.0.0.1"), host=at(HOST)),
    of("IPv6", YES, by("x", "::1"), host=V6),
    of("IPv6, written at length", YES, by("x", "::1"), host="host=0:0:0:0:0:0:0:1 hostaddr=127.0.0.1"),
    of("another of IPv6", NO, by("x", "::2"), host=V6),
    of("IPv6 as common name", YES, by("::1"), host=V6),
    of("IPv6 as common name, written at length", NO, by("0:0:0:0:0:0:0:1"), host=V6),
    of("an address of five bytes", NO, server(ROOT, raw_names=der(0x87, b"\x7f\0\0\1\0")), host="host=127.0.0.1"),
    of("an address of five bytes beside a name", NO, server(ROOT, HOST, raw_names=der(0x87, b"\x7f\0\0\1\0"))),
    of("an address mapped into IPv6", NO, by("x", "::ffff:127.0.0.1"), host="host=127.0.0.1"),
    of("an address in a short form", YES, by("x", "127.0.0.1"), host="host=127.1 hostaddr=127.0.0.1", kecoa=NO, why="an address with a leading zero is not an address"),
    of("an address with a leading zero", YES, by("x", "127.0.0.1"), host="host=127.0.0.01 hostaddr=127.0.0.1", kecoa=NO,
       why="an address with a leading zero is not an address"),
]  # fmt: skip


def constrained(
    name: str, libpq: str, subject: Any, *names: str, permitted: Any = (), excluded: Any = (), **more: Any
) -> Case:
    between = authority("between", ROOT, extensions=[(constraints(permitted, excluded), True)])
    return of(
        f"constraints: {name}", libpq, server(between, subject, names=list(names)), behind=[between], **more
    )


CORP = ["corp.test"]
PERMITTED = "outside of the names"
CONSTRAINTS = [
    constrained("a name that is permitted", YES, "x", HOST, permitted=[HOST]),
    constrained("a name below what is permitted", YES, "x", HOST, permitted=["example"]),
    constrained("a name outside", NO, "x", HOST, permitted=CORP, says=PERMITTED),
    constrained("a name that ends alike", NO, "x", HOST, permitted=["xample"]),
    constrained("a name with a leading dot in the constraint", YES, "x", HOST, permitted=[".example"]),
    constrained("the domain itself behind a leading dot", NO, "x", HOST, permitted=[".db.example"]),
    constrained("one name permitted, one not", NO, "x", HOST, "a.other.test", permitted=["example"]),
    constrained("a name that is excluded", NO, "x", HOST, excluded=[HOST], says=PERMITTED),
    constrained("a name below what is excluded", NO, "x", HOST, excluded=["example"]),
    constrained("a name beside what is excluded", YES, "x", HOST, excluded=CORP),
    constrained("permitted and excluded", NO, "x", HOST, permitted=["example"], excluded=[HOST]),
    constrained("nothing permitted", NO, "x", HOST, permitted=["invalid"]),
    constrained("everything excluded", NO, "x", HOST, excluded=[""]),
    constrained("everything permitted", YES, "x", HOST, permitted=[""]),
    constrained("a common name that is permitted", YES, HOST, permitted=[HOST]),
    constrained("a common name outside", NO, HOST, permitted=CORP, says=PERMITTED),
    constrained("a common name that is excluded", NO, HOST, excluded=[HOST], says=PERMITTED),
    constrained("a common name in capitals that is excluded", NO, "DB.EXAMPLE", excluded=[HOST]),
    constrained("a common name that is no host beside a name", YES, "Corp Database 7", HOST, permitted=[HOST]),
    constrained("a common name outside beside a name", YES, "x.other.test", HOST, permitted=[HOST]),
    constrained("a common name outside beside an address", NO, HOST, "192.0.2.1", permitted=CORP),
    constrained("a common name of one label outside", YES, "localhost", permitted=CORP, host=at("localhost"), kecoa=NO,
                why=HELD),
    constrained("a common name outside, verify-ca", NO, HOST, permitted=CORP, mode="verify-ca"),
    constrained("a name outside, verify-ca", NO, "x", HOST, permitted=CORP, mode="verify-ca"),
    constrained("a name outside, require", NO, "x", HOST, permitted=CORP, mode="require"),
    constrained("a second common name outside", NO, common(HOST, "db.other.test"), permitted=["example"]),
    constrained("a wildcard within", YES, "x", "*.example", permitted=["example"]),
    constrained("a wildcard above", NO, "x", "*.example", permitted=[HOST]),
    constrained("a wildcard that stands for what is excluded", YES, "x", "*.example", excluded=[HOST], kecoa=NO,
                why=HELD),
    constrained("a wildcard as common name outside", YES, "*.example", permitted=CORP, kecoa=NO, why=HELD),
    constrained("a wildcard beside what is excluded", YES, "x", "*.example", excluded=["a.example"]),
    constrained("an address within", YES, "x", "127.0.0.1", permitted=["127.0.0.0/8"], host="host=127.0.0.1"),
    constrained("an address outside", NO, "x", "127.0.0.1", permitted=["10.0.0.0/8"], host="host=127.0.0.1", says=PERMITTED),
    constrained("an address that is excluded", NO, "x", "127.0.0.1", excluded=["127.0.0.0/8"], host="host=127.0.0.1"),
    constrained("an address where names are permitted", YES, "x", "127.0.0.1", permitted=CORP, host="host=127.0.0.1"),
    constrained("a name where addresses are permitted", YES, "x", HOST, permitted=["10.0.0.0/8"]),
    constrained("an address of IPv6 outside", NO, "x", "::1", permitted=["2001:db8::/32"], host=V6),
    constrained("an address of IPv6 where IPv4 is permitted", NO, "x", "::1", permitted=["10.0.0.0/8"], host=V6),
    constrained("an address as common name outside", YES, "127.0.0.1", permitted=["10.0.0.0/8"], host="host=127.0.0.1", kecoa=NO,
                why=HELD),
    constrained("an address as common name where names are permitted", NO, "127.0.0.1", permitted=CORP, host="host=127.0.0.1"),
    constrained("a subject that is permitted", YES, "x", HOST, permitted=["dn:x"]),
    constrained("a subject in capitals that is permitted", YES, "X", HOST, permitted=["dn:x"]),
    constrained("a subject outside", NO, "x", HOST, permitted=["dn:y"], says=PERMITTED),
    constrained("a subject that is excluded", NO, "x", HOST, excluded=["dn:x"]),
    constrained("a directory name outside", NO, x509.Name([]), HOST, "dn:y", permitted=["dn:x"]),
    constrained("an email address within", YES, "x", HOST, "email:a@corp.test", permitted=["email:corp.test"]),
    constrained("an email address outside", NO, "x", HOST, "email:a@other.test", permitted=["email:corp.test"]),
    constrained("an email address of a host below", YES, "x", HOST, "email:a@b.corp.test", permitted=["email:.corp.test"]),
    constrained("a mailbox that is permitted", YES, "x", HOST, "email:a@corp.test", permitted=["email:a@corp.test"]),
    constrained("a URI within", YES, "x", HOST, "uri:https://corp.test/a", permitted=["uri:corp.test"]),
    constrained("a URI outside", NO, "x", HOST, "uri:https://other.test/a", permitted=["uri:corp.test"]),
    constrained("a URI of a host below", YES, "x", HOST, "uri:spiffe://a.corp.test/b", permitted=["uri:.corp.test"]),
    constrained("kinds that the certificate has not", YES, "x", HOST, permitted=["email:corp.test", "uri:corp.test", "10.0.0.0/8"]),
]  # fmt: skip

of_root = authority("constrained", extensions=[(constraints(CORP), True)])
deep = authority("deep", ROOT, extensions=[(constraints(CORP), True)])
deeper = authority("deeper", deep)
noncritical = authority("gentle", ROOT, extensions=[(constraints(CORP), False)])
of_names = authority("named.example", authority("of subjects", extensions=[(constraints(["dn:y"]), True)]))
CONSTRAINTS += [
    of("constraints: of the root", NO, server(of_root), roots=[of_root], says=PERMITTED),
    of("constraints: of the root, common name", NO, server(of_root, HOST, names=[]), roots=[of_root]),
    of("constraints: two above", NO, server(deeper), behind=[deeper, deep]),
    of("constraints: two above, common name", NO, server(deeper, HOST, names=[]), behind=[deeper, deep]),
    of("constraints: not critical", NO, server(noncritical), behind=[noncritical]),
    of("constraints: of a root, broken by an authority's subject", NO, server(of_names), behind=[of_names], roots=[of_names.signer]),
]  # fmt: skip

NAMES = PLAIN + WILDCARDS + COMMON + ADDRESSES + CONSTRAINTS
