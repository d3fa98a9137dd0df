"""What a session over TLS is like, and what the environment brings to it."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg2
import pytest

import kecoa
import kecoa.aio
from tests.reasons import skip
from tests.tls.certificates import HOST, KEY_PASSWORD, Certificates
from tests.tls.server import TlsServer

PASSWORD = "jeruk-manis"


@pytest.fixture
def dsn(tls_server: TlsServer, certificates: Certificates) -> str:
    """The server with a good certificate; the user and the options are the test's."""
    certificates.serve(tls_server, "good")
    return f"host={HOST} hostaddr=127.0.0.1 port={tls_server.port} dbname=postgres"


def row(dsn: str, sql: str, **options: Any) -> Any:
    conn = kecoa.connect(dsn, **options)
    with conn.cursor() as cur:
        cur.execute(sql)
        found = cur.fetchone()
    conn.close()
    return found


def test_the_server_sees_the_certificate(dsn: str, certificates: Certificates) -> None:
    files = certificates.files
    options = {"user": "budi", "sslmode": "require", "sslcert": files["budi"], "sslkey": files["budi_key"]}
    sql = "SELECT ssl, version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert row(dsn, sql, **options) == (True, "TLSv1.3", "/CN=budi")
    conn = kecoa.connect(dsn, **options)
    assert conn.info.ssl_in_use
    assert conn.info.ssl_attribute("protocol") == "TLSv1.3"
    conn.close()


def test_files_are_looked_for_at_home(dsn: str, certificates: Certificates, empty_home: Path) -> None:
    folder = empty_home / ".postgresql"
    folder.mkdir()
    files = certificates.files

    def put(name: str, source: str, mode: int = 0o600) -> None:
        (folder / name).write_bytes(Path(files[source]).read_bytes())
        (folder / name).chmod(mode)

    def both(user: str, **options: str) -> list[str | None]:
        outcomes: list[str | None] = []
        for module in (kecoa, psycopg2):
            try:
                module.connect(dsn, user=user, **options).close()
                outcomes.append(None)
            except module.OperationalError as error:
                outcomes.append(str(error))
        assert len({outcome is None for outcome in outcomes}) == 1, outcomes
        return outcomes

    put("postgresql.crt", "budi")
    ours, libpq = both("budi", sslmode="require")
    missing = f'certificate present, but not private key file "{folder / "postgresql.key"}"'
    assert missing in ours
    assert missing in libpq
    put("postgresql.key", "budi_key")
    assert both("budi", sslmode="require") == [None, None]
    put("postgresql.key", "budi_key", 0o640)
    # Root's may be readable by its group.
    assert (both("budi", sslmode="require")[0] is None) == (os.geteuid() == 0)
    put("postgresql.key", "encrypted_key")
    assert both("budi", sslmode="require", sslpassword=KEY_PASSWORD) == [None, None]
    put("root.crt", "stranger")
    ours, _ = both("trusting", sslmode="require", sslcertmode="disable")
    assert ours is not None
    assert "none of the authorities" in ours
    put("root.crt", "root")
    assert both("trusting", sslmode="verify-full", sslcertmode="disable") == [None, None]
    put("root.crl", "crl_of_a_stranger")
    ours, _ = both("trusting", sslmode="verify-full", sslcertmode="disable")
    assert ours is not None
    assert "no revocation list" in ours
    put("root.crl", "crl")
    assert both("trusting", sslmode="verify-full", sslcertmode="disable") == [None, None]


CONNECT = """
import sys, kecoa
kecoa.connect(sys.argv[1]).close()
"""


@pytest.mark.parametrize("options", ["sslmode=verify-full", "sslrootcert=system"])
def test_the_systems_authorities_need_no_file(options: str, dsn: str, certificates: Certificates) -> None:
    # As for CockroachDB Cloud. The environment says what the system's authorities are.
    environment = {**os.environ, "SSL_CERT_FILE": certificates.files["root"]}
    command = [sys.executable, "-c", CONNECT, f"{dsn} user=trusting {options}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    environment["SSL_CERT_FILE"] = certificates.files["stranger"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "none of the system's authorities has signed" in done.stderr


def test_keys_are_logged_for_their_owner(dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    for version in ("TLSv1.2", "TLSv1.3"):
        row(dsn, "SELECT 1", user="trusting", sslmode="require", sslkeylogfile=str(path), ssl_max_protocol_version=version)  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = [line.split(" ") for line in path.read_text().splitlines()]
    labels = {label for label, _, _ in lines}
    assert {"CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= labels
    assert all(len(bytes.fromhex(random)) == 32 and bytes.fromhex(secret) for _, random, secret in lines)
    with pytest.raises(kecoa.OperationalError, match="could not open SSL key logging file"):
        kecoa.connect(dsn, user="trusting", sslmode="require", sslkeylogfile=str(tmp_path / "no" / "keys"))


def test_prefer_goes_on_in_clear_where_the_certificate_cannot_be_used(dsn: str) -> None:
    assert row(dsn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", user="trusting") == (True,)
    assert row(dsn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", user="open") == (False,)


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_a_cancel_goes_the_same_way(
    negotiation: str, dsn: str, tls_server: TlsServer, certificates: Certificates
) -> None:
    if negotiation == "direct" and tls_server.version < 170000:
        skip("postgresql-17")
    options = f"user=trusting sslmode=verify-full sslrootcert={certificates.files['root']}"
    conn = kecoa.connect(f"{dsn} {options} sslnegotiation={negotiation}")
    with conn.cursor() as cur:
        timer = threading.Timer(0.1, conn.cancel)
        timer.start()
        with pytest.raises(kecoa.errors.QueryCanceled):
            cur.execute("SELECT pg_sleep(30)")
        timer.join()
    conn.close()

    async def run() -> None:
        conn = await kecoa.aio.connect(f"{dsn} {options} sslnegotiation={negotiation}", autocommit=True)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(conn.execute("SELECT pg_sleep(30)"), 0.1)
        cur = await conn.execute("SELECT 1")
        assert await cur.fetchone() == (1,)
        await conn.close()

    asyncio.run(run())


def test_no_secret_is_shown(dsn: str, certificates: Certificates) -> None:
    files = certificates.files
    options = f"user=budi sslmode=require sslcert={files['budi']} sslkey={files['encrypted_key']}"
    conn = kecoa.connect(f"{dsn} {options} sslpassword={KEY_PASSWORD} password={PASSWORD}")
    shown = f"{conn.dsn} {conn!r} {conn.info.dsn_parameters} {conn.get_dsn_parameters()} {conn.info!r}"
    conn.close()
    assert files["budi"] in shown
    for secret in (KEY_PASSWORD, PASSWORD):
        assert secret not in shown
