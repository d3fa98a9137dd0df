"""A server of one process that speaks TLS and just enough of the protocol to let everybody in.

Its certificate changes from one connection to the next, which a real server takes a reload for.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import warnings
from pathlib import Path
from types import TracebackType

from tests.tls.authority import write
from tests.tls.chains import Cert


def message(tag: bytes, body: bytes = b"") -> bytes:
    return tag + struct.pack("!I", len(body) + 4) + body


GREETING = b"".join(
    [
        message(b"R", bytes(4)),
        message(b"S", b"server_version\x0017.0\0"),
        message(b"S", b"client_encoding\0UTF8\0"),
        message(b"S", b"DateStyle\0ISO, MDY\0"),
        message(b"S", b"standard_conforming_strings\0on\0"),
        message(b"K", bytes(8)),
        message(b"Z", b"I"),
    ]
)
REFUSAL = message(b"E", b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for host, no encryption\0\0")


class ScriptedServer:
    """Serves on 127.0.0.1; `clear` says whether sessions without TLS are let in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.context: ssl.SSLContext | None = None
        self.clear = True
        #: Sent in place of the answer to the question for TLS.
        self.instead = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def __enter__(self) -> ScriptedServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.close()

    def serve(
        self,
        leaf: Cert | None,
        *behind: Cert,
        versions: tuple[str, str] = ("TLSv1_2", "TLSv1_3"),
        clients: Cert | None = None,
        protocols: tuple[str, ...] = ("postgresql",),
        ciphers: str = "ALL:@SECLEVEL=0",
        clear: bool = True,
        instead: bytes = b"",
    ) -> None:
        """Show these certificates from now on; none: there is no TLS."""
        self.clear, self.instead = clear, instead
        if leaf is None:
            self.context = None
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(ciphers)
        with warnings.catch_warnings():
            # What is too old is meant to be.
            warnings.simplefilter("ignore", DeprecationWarning)
            oldest, newest = (ssl.TLSVersion[version] for version in versions)
            context.minimum_version, context.maximum_version = oldest, newest
        shown = b"".join(cert.pem for cert in (leaf, *behind))
        context.load_cert_chain(
            write(self.folder / "shown.crt", shown), write(self.folder / "shown.key", leaf.key_pem, 0o600)
        )
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(write(self.folder / "clients.crt", clients.pem))
        self.context = context

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(20)
        try:
            with client:
                self._open(client)
        except OSError:
            pass

    def _open(self, client: socket.socket) -> None:
        context = self.context
        first = client.recv(8, socket.MSG_PEEK)
        if first[:1] == b"\x16" and context:
            self._greet(context.wrap_socket(client, server_side=True))
        elif first[4:] == struct.pack("!I", 80877103):
            client.recv(8)
            if self.instead:
                client.sendall(self.instead)
            elif context:
                client.sendall(b"S")
                self._greet(context.wrap_socket(client, server_side=True))
            else:
                client.sendall(b"N")
                self._greet(client)
        else:
            self._greet(client)

    def _greet(self, client: socket.socket) -> None:
        with client:
            client.recv(4096)
            allowed = self.clear or isinstance(client, ssl.SSLSocket)
            client.sendall(GREETING if allowed else REFUSAL)
            while allowed and client.recv(4096):
                pass
