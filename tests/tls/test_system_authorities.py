"""`sslrootcert=system`: the variables that select other authorities, beside libpq."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tls.authority import write
from tests.tls.chains import HOST, authority, server
from tests.tls.scripted_server import ScriptedServer

root, other = authority("root of the system"), authority("another root")

#: The authorities are read once a process.
CONNECT = """
import sys, importlib
try:
    importlib.import_module(sys.argv[1]).connect(sys.argv[2]).close()
except Exception as error:
    print("no:", error)
else:
    print("yes")
"""


@pytest.mark.parametrize(
    ("variable", "content", "says"),
    [
        ("SSL_CERT_FILE", root.pem, ""),
        ("SSL_CERT_FILE", other.pem + root.pem, ""),
        ("SSL_CERT_FILE", other.pem, "none of the system's authorities"),
        # Mozilla's list does not take the place of what was selected, and is not there.
        ("SSL_CERT_FILE", b"", "where SSL_CERT_FILE points to, found none"),
        ("SSL_CERT_FILE", None, "where SSL_CERT_FILE points to, found none"),
        ("SSL_CERT_DIR", None, "where SSL_CERT_DIR points to, found none"),
    ],
)
def test_variables(variable: str, content: bytes | None, says: str, tmp_path: Path) -> None:
    path = str(tmp_path / "selected.crt")
    if content is not None:
        write(Path(path), content)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT")}
    environment[variable] = path
    with ScriptedServer(tmp_path) as scripted:
        scripted.serve(server(root))
        dsn = f"host={HOST} hostaddr=127.0.0.1 port={scripted.port} user=u dbname=d sslrootcert=system"
        found = {}
        for driver in ("psycopg2", "kecoa"):
            command = [sys.executable, "-c", CONNECT, driver, dsn + " gssencmode=disable connect_timeout=10"]
            run = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=60, check=True
            )
            found[driver] = run.stdout
    if not says:
        assert found == {"psycopg2": "yes\n", "kecoa": "yes\n"}
        return
    assert found["psycopg2"].startswith("no:")
    assert found["kecoa"].startswith("no:")
    assert says in found["kecoa"]
