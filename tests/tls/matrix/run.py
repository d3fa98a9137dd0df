"""Runs a situation: who accepts it, and how."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.tls.authority import write
from tests.tls.chains import Cert
from tests.tls.matrix import CLEAR, NO, YES, Case
from tests.tls.scripted_server import ScriptedServer


def prepared(case: Case, server: ScriptedServer, folder: Path) -> str:
    """Let the server show the certificates and write the files; how to connect."""
    server.serve(case.leaf, *case.behind, **case.served)
    options = ""
    if case.roots is not None:
        content = b"".join(root.pem if isinstance(root, Cert) else root for root in case.roots)
        options += f" sslrootcert={write(folder / 'roots.crt', content)}"
    if case.crl is not None:
        options += f" sslcrl={write(folder / 'lists.crl', case.crl)}"
    if case.crldir is not None:
        lists = folder / "lists"
        lists.mkdir(exist_ok=True)
        for old in lists.iterdir():
            old.unlink()
        for name, content in case.crldir.items():
            write(lists / name, content)
        options += f" sslcrldir={lists}"
    home = Path(os.environ["HOME"]) / ".postgresql"
    for old in home.glob("*"):
        old.unlink()
    if case.home:
        home.mkdir(exist_ok=True)
        for name, content in case.home.items():
            write(home / name, content, 0o600)
    if case.client:
        shown = b"".join(cert.pem for cert in case.client)
        key = case.client[0].key_pem if case.client_key is None else case.client_key
        options += f" sslcert={write(folder / 'client.crt', shown)}"
        options += f" sslkey={write(folder / 'client.key', key, case.client_key_mode)}"
    more = case.more.replace("{folder}", str(folder))
    session = f"port={server.port} user=u dbname=d connect_timeout=10 gssencmode=disable"
    return f"{case.host} {session} sslmode={case.mode}{options} {more}"


def outcome(driver: Any, dsn: str) -> tuple[str, str]:
    """Who connects how, and what is said where nobody does."""
    try:
        connection = driver.connect(dsn)
    except driver.Error as error:
        return NO, str(error)
    encrypted = connection.info.ssl_in_use
    connection.close()
    return (YES if encrypted else CLEAR), ""
