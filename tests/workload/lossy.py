"""A way to a server that loses a connection at a word that the client sends."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType

from kecoa import extensions


class Lossy:
    """Listens until the end of its `with` block, and passes on what comes.

    The first connection that sends `word` is lost: before the server has it, or, with `arrives`, once the
    server has answered, before the client has the answer.
    """

    def __init__(self, dsn: str, word: bytes, *, arrives: bool = False) -> None:
        self._server = extensions.parse_dsn(dsn)
        self._word = word
        self._arrives = arrives
        self._lost = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.dsn = f"{dsn} host=127.0.0.1 port={port} sslmode=disable"

    def __enter__(self) -> Lossy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._server["host"], int(self._server["port"])
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _serve(self, client: socket.socket) -> None:
        with client, self._connect() as server, contextlib.suppress(OSError):
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if server in readable:
                    data = server.recv(65536)
                    client.sendall(data)
                if client in readable:
                    data = client.recv(65536)
                    if self._word in data and self._lost.acquire(blocking=False):
                        if self._arrives:
                            server.sendall(data)
                            server.recv(65536)
                        return
                    server.sendall(data)
                if not data:
                    return
