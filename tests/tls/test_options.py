"""What each option does with each server: connects, or fails with an error that says what to change.

Every case runs on a plain connection, on one of kecoa.aio and on psycopg2; who connects must be the same.
Where it is not, `differs` says why.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

import kecoa
import kecoa.aio
from tests.reasons import skip
from tests.tls.certificates import HOST, KEY_PASSWORD, Certificates
from tests.tls.server import TlsServer

PASSWORD = "jeruk-manis"
WRONG_KEY_PASSWORD = "bukan-kata-sandi"
SECRETS = (PASSWORD, KEY_PASSWORD, WRONG_KEY_PASSWORD, "PRIVATE KEY", "MIGHAgEA", "MHcCAQEE")

MISSING_ROOT = "an explicit file that does not exist is an error in kecoa; libpq goes on without it"
EDWARDS = "libpq gives up where the certificate has no hash for the binding; kecoa goes on without binding"


@dataclass(frozen=True)
class Case:
    """`says`: what the error's text must hold, in order; nothing where the connection works."""

    name: str
    served: str
    options: str
    says: tuple[str, ...] = ()
    user: str = "trusting"
    host: str = f"host={HOST} hostaddr=127.0.0.1"
    differs: str = ""

    def dsn(self, server: TlsServer, files: dict[str, str]) -> str:
        options = re.sub(r"\{(\w+)\}", lambda name: files[name[1]], self.options)
        return f"{self.host} port={server.port} user={self.user} dbname=postgres {options}"


def S(name: str, served: str, options: str, *says: str, **more: str) -> Case:
    return Case(name, served, options, says, **more)


FULL = "sslmode=verify-full sslrootcert={root}"
CA = "sslmode=verify-ca sslrootcert={root}"
FAILED = "SSL error: certificate verify failed: "
ADDRESS = "host=127.0.0.1"

SERVERS = [
    S("a good certificate", "good", FULL),
    S("expired", "expired", CA, FAILED + "the server's certificate has expired", "HINT: renew it on the server"),
    S("expired, verify-full", "expired", FULL, "has expired"),
    S("expired, unchecked", "expired", "sslmode=require"),
    S("not yet valid", "not yet valid", CA, FAILED + "the server's certificate is not valid yet", "clock"),
    S(
        "wrong host",
        "another name",
        FULL,
        f'server certificate for "other.example" (and 1 other name) does not match host name "{HOST}"',
        "HINT: connect by a name that the certificate is for (hostaddr can give the address)",
    ),
    S("wrong host, verify-ca", "another name", CA),
    S("the second of two names", "another name", FULL, host="host=third.example hostaddr=127.0.0.1"),
    S("an unknown authority", "good", "sslmode=verify-full sslrootcert={stranger}", FAILED + "none of the", "{stranger}", "HINT: set sslrootcert"),
    S("an unknown authority, verify-ca", "good", "sslmode=verify-ca sslrootcert={stranger}", "none of the authorities"),
    S("require with an authority checks the chain", "good", "sslmode=require sslrootcert={stranger}", "none of the authorities"),
    S("require with the right authority", "another name", "sslmode=require sslrootcert={root}"),
    S("not the system's authorities", "good", "sslrootcert=system", "none of the system's authorities"),
    S("no authority given, verify-full", "good", "sslmode=verify-full", "none of the system's authorities"),
    S("no authority given, verify-ca", "good", "sslmode=verify-ca", "needs the authorities to trust", "HINT: give the file"),
    S("a missing file of authorities", "good", "sslmode=verify-full sslrootcert={missing}", "root certificate file", "does not exist", "Either provide the file"),
    S("an empty file of authorities", "good", "sslmode=verify-full sslrootcert={none}", "expected certificates in PEM form"),
    S("system with less than verify-full", "good", "sslmode=require sslrootcert=system", 'weak sslmode "require" may not be used with sslrootcert=system'),
    S("self-signed, require", "itself", "sslmode=require"),
    S("self-signed, verify-ca", "itself", CA, FAILED + "none of the authorities", "HINT: set sslrootcert"),
    S("self-signed, trusted by itself", "itself", "sslmode=verify-full sslrootcert={own}"),
    S("an intermediate in the chain", "the chain", FULL),
    S("an intermediate left out", "the chain cut", FULL, "none of the authorities", "the server must send the certificates between"),
    S("a common name only", "a common name", FULL),
    S("a common name beside an address", "a common name beside an address", FULL),
    S("a common name beside another name", "a common name beside another name", FULL, 'server certificate for "other.example" does not match'),
    S("no name at all", "no name", FULL, "could not get server's host name from server certificate", "subjectAltName"),
    S("a wildcard", "a wildcard", FULL),
    S("a wildcard stands for one label", "a wildcard", FULL, 'server certificate for "*.example"', host="host=a.db.example hostaddr=127.0.0.1"),
    S("a wildcard of something else", "a wildcard two labels above", FULL, "does not match"),
    S("an address", "an address", FULL, host=ADDRESS),
    S("an address that is not named", "good", FULL, "does not match host name \"127.0.0.1\"", host=ADDRESS),
    S("an address as a common name", "an address as a name", FULL, host=ADDRESS),
    S("a certificate for clients", "a certificate for clients", CA, FAILED + "the server's certificate is not made for servers", "serverAuth"),
    S("a leaf that is an authority", "an authority", FULL),
]  # fmt: skip

REVOCATION = [
    S("not revoked", "good", FULL + " sslcrl={crl}"),
    S("revoked", "revoked", FULL + " sslcrl={crl}", FAILED + "the server's certificate is revoked", "HINT: "),
    S("revoked, by a directory", "revoked", FULL + " sslcrldir={crldir}", "is revoked"),
    S("not revoked, by a directory", "good", FULL + " sslcrldir={crldir}"),
    S("revoked, with no list", "revoked", FULL),
    S("revoked, unchecked", "revoked", "sslmode=require sslcrl={crl}"),
    S("a list of another authority", "good", FULL + " sslcrl={crl_of_a_stranger}", "no revocation list", "a list of every authority"),
    S("a list from before", "good", FULL + " sslcrl={crl_of_before}", "has expired (", "HINT: get a new revocation list"),
    S("no list of the authority between", "the chain", FULL + " sslcrl={crl_of_none}", "no revocation list"),
    S("revoked by the authority between", "the chain", FULL + " sslcrl={crl_of_both}", "is revoked"),
    S("not revoked by either", "the chain", FULL + " sslcrl={crl_of_both_none}"),
    S("revoked below, by a directory", "the chain", FULL + " sslcrldir={crldir}", "is revoked"),
    S("a missing list", "good", FULL + " sslcrl={missing}", "could not read certificate revocation list file", differs=MISSING_ROOT),
    S("a missing directory", "good", FULL + " sslcrldir={missing}", "could not read certificate revocation list directory"),
    S("an empty list", "good", FULL + " sslcrl={none}", "expected a certificate revocation list in PEM form", differs=MISSING_ROOT),
    S("authorities as a list", "good", FULL + " sslcrl={root}", "expected a certificate revocation list in PEM form", "openssl crl"),
]  # fmt: skip

CLIENTS = [
    S("a client certificate", "good", "sslmode=require sslcert={budi} sslkey={budi_key}", user="budi"),
    S("none where one is demanded", "good", "sslmode=require", "connection requires a valid client certificate", "HINT: give the file of the user's certificate as sslcert", user="budi"),
    S("none where verify-full is demanded", "good", "sslmode=require", "connection requires a valid client certificate", "HINT: give", user="siti"),
    S("none where verify-ca is demanded", "good", "sslmode=require", "connection requires a valid client certificate", user="shown"),
    S("of anybody where verify-ca is demanded", "good", "sslmode=require sslcert={budi} sslkey={budi_key}", user="shown"),
    S("of another user", "good", "sslmode=require sslcert={maya} sslkey={maya_key}", 'certificate authentication failed for user "budi"', 'HINT: the client certificate is for "maya", the user is "budi"', user="budi"),
    S("of another user, verify-full", "good", "sslmode=require sslcert={budi} sslkey={budi_key}", 'authentication failed for user "siti"', 'HINT: the client certificate is for "budi", the user is "siti"', user="siti"),
    S("of an authority the server does not know", "good", "sslmode=require sslcert={foreign} sslkey={foreign_key}", "the server does not know the authority of the client certificate", "HINT: give a certificate that an authority of the server's ssl_ca_file has signed", user="budi"),
    S("an expired one", "good", "sslmode=require sslcert={old} sslkey={old_key}", "has expired, or is not valid yet", "HINT: give a new one", user="budi"),
    S("a revoked one", "good", "sslmode=require sslcert={taken_back} sslkey={taken_back_key}", "is revoked", "HINT: get a new one", user="budi"),
    S("switched off", "good", "sslmode=require sslcert={budi} sslkey={budi_key} sslcertmode=disable", "connection requires a valid client certificate", user="budi"),
    S("a key that others can read", "good", "sslmode=require sslcert={budi} sslkey={open_key}", "has group or world access; file must have permissions u=rw (0600) or less if owned by the current user, or permissions u=rw,g=r (0640) or less if owned by root", "HINT: chmod 600", user="budi"),
    S("a key of another certificate", "good", "sslmode=require sslcert={budi} sslkey={maya_key}", "certificate does not match private key file", "key values mismatch", user="budi"),
    S("a missing key", "good", "sslmode=require sslcert={budi} sslkey={missing}", "certificate present, but not private key file", "HINT: give the file with the key", user="budi"),
    S("a key that others can read, prefer", "good", "sslmode=prefer sslcert={budi} sslkey={open_key}", user="open"),
    S("a missing key, prefer, TLS demanded", "good", "sslmode=prefer sslcert={budi} sslkey={missing}", "certificate present, but not private key file"),
    S("a certificate as key", "good", "sslmode=require sslcert={budi} sslkey={budi}", "could not load private key file", "expected a private key in PEM form", user="budi"),
    S("a missing certificate", "good", "sslmode=require sslcert={missing} sslkey={budi_key}", "could not read certificate file", user="trusting", differs=MISSING_ROOT),
    S("an encrypted key", "good", f"sslmode=require sslcert={{budi}} sslkey={{encrypted_key}} sslpassword={KEY_PASSWORD}", user="budi"),
    S("an encrypted key in the old form", "good", f"sslmode=require sslcert={{budi}} sslkey={{old_encrypted_key}} sslpassword={KEY_PASSWORD}", user="budi"),
    S("an encrypted key, wrong password", "good", f"sslmode=require sslcert={{budi}} sslkey={{encrypted_key}} sslpassword={WRONG_KEY_PASSWORD}", "could not load private key file", "bad decrypt", "HINT: sslpassword is not the password", user="budi"),
    S("an old encrypted key, wrong password", "good", f"sslmode=require sslcert={{budi}} sslkey={{old_encrypted_key}} sslpassword={WRONG_KEY_PASSWORD}", "could not load private key file", user="budi"),
    S("an encrypted key, no password", "good", "sslmode=require sslcert={budi} sslkey={encrypted_key}", "it is encrypted", "HINT: give its password as sslpassword", user="budi"),
    S("an old encrypted key, no password", "good", "sslmode=require sslcert={budi} sslkey={old_encrypted_key}", "it is encrypted", "HINT: give its password as sslpassword", user="budi"),
    S("demanded and asked for", "good", "sslmode=require sslcertmode=require sslcert={budi} sslkey={budi_key}"),
    S("demanded, and there is none", "good", "sslmode=require sslcertmode=require", "server accepted connection without a valid SSL certificate", "HINT: give the client certificate as sslcert"),
    S("demanded and not asked for", "another name", "sslmode=require sslcertmode=require sslcert={budi} sslkey={budi_key}", "server did not request an SSL certificate", "HINT: set ssl_ca_file"),
    S("demanded without TLS", "nothing", "sslmode=prefer sslcertmode=require", "server did not request an SSL certificate", user="open"),
]  # fmt: skip

SCRAM = f"password={PASSWORD} channel_binding=require sslmode=require"

SESSIONS = [
    S("no TLS under require", "nothing", "sslmode=require", "server does not support SSL, but SSL was required", "HINT: switch TLS on in the server"),
    S("no TLS under prefer", "nothing", "sslmode=prefer", user="open"),
    S("no TLS with direct negotiation", "nothing", "sslmode=require sslnegotiation=direct", "HINT: sslnegotiation=direct takes PostgreSQL 17"),
    S("direct negotiation", "good", FULL + " sslnegotiation=direct"),
    S("direct negotiation, wrong host", "another name", FULL + " sslnegotiation=direct", "does not match host name"),
    S("direct negotiation, weak", "good", "sslnegotiation=direct", 'weak sslmode "prefer" may not be used with sslnegotiation=direct (use "require", "verify-ca", or "verify-full")'),
    S("direct negotiation, binding", "good", SCRAM + " sslnegotiation=direct", user="maya"),
    S("a demanded binding", "good", SCRAM, user="maya"),
    S("a demanded binding, wrong password", "good", SCRAM.replace(PASSWORD, "salak"), 'password authentication failed for user "maya"', user="maya"),
    S("a demanded binding without SCRAM", "good", SCRAM, "channel binding required but not supported by server's authentication request", "HINT: it takes TLS, scram-sha-256", user="cleartext"),
    S("a demanded binding without authentication", "good", SCRAM, "channel binding required, but server authenticated client without channel binding", user="trusting"),
    S("a demanded binding without TLS", "nothing", SCRAM.replace("sslmode=require", "sslmode=prefer"), "channel binding required", user="open"),
    S("a binding by SHA-512", "SHA-512", SCRAM, user="maya"),
    S("a binding by RSA", "RSA", SCRAM, user="maya"),
    S("a binding by RSA-PSS", "RSA-PSS", SCRAM, user="maya"),
    S("a binding by Ed25519", "Ed25519", SCRAM, "the signature of the server's certificate has no hash function to bind to", "HINT: let the server have a certificate that is signed by RSA or ECDSA", user="maya"),
    S("Ed25519 without a binding", "Ed25519", "sslmode=verify-full sslrootcert={edwards_root} password=" + PASSWORD, user="maya", differs=EDWARDS),
    S("RSA and the whole check", "RSA", "sslmode=verify-full sslrootcert={rsa_root}"),
    S("a binding that is switched off", "good", SCRAM.replace("require sslmode", "disable sslmode"), user="maya"),
    S("TLS 1.2 only, here", "good", FULL + " ssl_max_protocol_version=TLSv1.2"),
    S("TLS 1.3 only, here", "good", FULL + " ssl_min_protocol_version=TLSv1.3"),
    S("TLS 1.3 here, 1.2 there", "TLS 1.2", FULL + " ssl_min_protocol_version=TLSv1.3", "SSL error: tlsv1 alert protocol version", "HINT: This may indicate that the server does not support any SSL protocol version between TLSv1.3 and TLSv1.3"),
    S("TLS 1.2 here, 1.3 there", "TLS 1.3", FULL + " ssl_max_protocol_version=TLSv1.2", "SSL error: tlsv1 alert protocol version", "between TLSv1.2 and TLSv1.2"),
    S("versions the wrong way round", "good", FULL + " ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "invalid SSL protocol version range"),
]  # fmt: skip

CASES = SERVERS + REVOCATION + CLIENTS + SESSIONS
#: One after the other by certificate, so that the server learns of each once.
ORDERED = sorted(CASES, key=lambda case: case.served)


def plain(dsn: str) -> None:
    conn = kecoa.connect(dsn)
    with conn.cursor() as cur:
        cur.execute("SELECT 1")
    conn.close()


def aio(dsn: str) -> None:
    async def run() -> None:
        conn = await kecoa.aio.connect(dsn)
        await conn.execute("SELECT 1")
        await conn.close()

    asyncio.run(run())


def theirs(dsn: str) -> None:
    psycopg2.connect(dsn).close()


def error_of(connect: Any, dsn: str) -> BaseException | None:
    try:
        connect(dsn)
    except (kecoa.Error, psycopg2.Error) as error:
        return error
    return None


def everything_about(error: BaseException | None) -> str:
    """All that an error may say, its causes as well."""
    text = ""
    while error is not None:
        text += f"{error}\n{error!r}\n"
        error = error.__cause__ or error.__context__
    return text


@pytest.mark.parametrize("case", ORDERED, ids=lambda case: case.name)
def test_option(case: Case, tls_server: TlsServer, certificates: Certificates) -> None:
    if "sslnegotiation=direct" in case.options and tls_server.version < 170000:
        skip("postgresql-17")
    certificates.serve(tls_server, case.served)
    dsn = case.dsn(tls_server, certificates.files)
    for connect in (plain, aio):
        error = error_of(connect, dsn)
        if not case.says:
            assert error is None, error
            continue
        assert isinstance(error, kecoa.OperationalError), f"{connect.__name__}: {error!r}"
        at = 0
        for says in case.says:
            says = re.sub(r"\{(\w+)\}", lambda name: certificates.files[name[1]], says)
            found = str(error).find(says, at)
            assert found >= 0, f"expected {says!r} in:\n{error}"
            at = found + len(says)
        text = everything_about(error)
        assert not [secret for secret in SECRETS if secret in text]
    error = error_of(theirs, dsn)
    # A difference that is none any more is one to take off the list.
    assert ((error is None) != (not case.says)) == bool(case.differs), error


def test_names_are_distinct() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
