"""A server that keeps track of transactions, as far as it takes, and answers what a test says.

It understands the first words of statements. `rules` maps a text to what is done where a statement contains
it, the first time only: bytes or Pieces are sent in place of the answer, a Cut ends the connection.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

from tests.aio.fake import complete, error, message, ready

__all__ = ["Cut", "Pieces", "ScriptedServer", "complete", "error", "message", "ready"]


@dataclass
class Cut:
    """Ends the connection behind `after` bytes of the answer; None behind all of it."""

    after: int | None = 0
    #: Sent before the end, in place of the answer.
    words: bytes | None = None


@dataclass
class Pieces:
    """An answer that comes in pieces: the client has read each before the next is sent."""

    parts: list[bytes]
    #: Seconds before each but the first.
    pause: float = 0.01
    #: What follows once the client has asked to cancel.
    when_cancelled: bytes | None = None


class ScriptedServer:
    """Listens until the end of its `with` block."""

    def __init__(
        self, rules: dict[str, bytes | Cut | Pieces] | None = None, parameters: dict[str, str] | None = None
    ):
        self.rules = dict(rules or {})
        self.parameters = {
            "server_version": "18.0",
            "client_encoding": "UTF8",
            "DateStyle": "ISO, MDY",
            "standard_conforming_strings": "on",
            **(parameters or {}),
        }
        #: Texts of the statements that came, one a request; those of the extended protocol joined by ";".
        self.seen: list[str] = []
        self.cancels = 0
        self.cancelled = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.dsn = f"host=127.0.0.1 port={self.port} user=u dbname=d sslmode=disable"
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.peers: list[socket.socket] = []

    def __enter__(self) -> ScriptedServer:
        self.threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                self.peers.append(peer)
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError, EOFError):
            file = peer.makefile("rb")
            first = file.read(struct.unpack("!I", file.read(4))[0] - 4)
            if first[:4] == struct.pack("!I", 80877102):
                self.cancels += 1
                self.cancelled.set()
                return
            parameters = (message(b"S", f"{n}\0{v}\0".encode()) for n, v in self.parameters.items())
            started = message(b"R", bytes(4)) + b"".join(parameters)
            peer.sendall(started + message(b"K", struct.pack("!II", 42, 4711)) + ready())
            self.talk(peer, file)

    def talk(self, peer: socket.socket, file: BinaryIO) -> None:
        status = b"I"
        named: dict[bytes, str] = {}
        steps: list[tuple[bytes, bytes]] = []
        while tag := file.read(1):
            body = file.read(struct.unpack("!I", file.read(4))[0] - 4)
            if tag == b"X":
                return
            steps.append((tag, body))
            if tag not in b"QS":
                continue
            texts = [body.split(b"\0")[tag == b"P"].decode() for tag, body in steps if tag in b"QP"]
            sql = ";".join(texts)
            self.seen.append(sql)
            answer, status = self.answer(steps, named, status)
            steps = []
            rule = next((word for word in self.rules if word.lower() in sql.lower()), None)
            what = self.rules.pop(rule) if rule is not None else None
            if isinstance(what, Cut):
                peer.sendall(answer[: what.after] if what.words is None else what.words)
                peer.shutdown(socket.SHUT_RDWR)
                return
            if isinstance(what, Pieces):
                answer = self.send_pieces(peer, what)
                status = answer[-1:]
            if isinstance(what, bytes):
                # ReadyForQuery says where the session is then.
                status = what[-1:]
                answer = what
            peer.sendall(answer)

    def send_pieces(self, peer: socket.socket, pieces: Pieces) -> bytes:
        """Send all but the last, which is returned."""
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in pieces.parts if pieces.when_cancelled is not None else pieces.parts[:-1]:
            peer.sendall(part)
            time.sleep(pieces.pause)
        if pieces.when_cancelled is None:
            return pieces.parts[-1]
        self.cancelled.wait(30)
        return pieces.when_cancelled

    def answer(
        self, steps: list[tuple[bytes, bytes]], named: dict[bytes, str], status: bytes
    ) -> tuple[bytes, bytes]:
        """Return what a request is answered, and where it leaves the session."""
        out = b""
        bound = ""
        for tag, body in steps:
            said = b""
            if tag == b"P":
                name, text = body.split(b"\0")[:2]
                named[name] = text.decode()
                said = message(b"1")
            elif tag == b"B":
                bound = named[body.split(b"\0")[1]]
                said = message(b"2")
            elif tag == b"D":
                said = (message(b"t", b"\0\0") if body[:1] == b"S" else b"") + message(b"n")
            elif tag == b"C":
                said = message(b"3")
            elif tag in b"EQ":
                said, status = self.run(bound if tag == b"E" else body.rstrip(b"\0").decode(), status)
            out += said
            if said[:1] == b"E" or b"25P02" in said:
                break
        return out + ready(status), status

    def run(self, sql: str, status: bytes) -> tuple[bytes, bytes]:
        """Run a text of statements."""
        out = b""
        bare = re.sub(r"/\*.*?\*/|--.*?(\n|$)", " ", sql)
        for one in (part.strip() for part in bare.split(";")):
            word = (one.split() or [""])[0].upper()
            if not word:
                continue
            if status == b"E" and word not in ("ROLLBACK", "COMMIT"):
                return out + error("25P02"), status
            if word in ("COMMIT", "END"):
                out += complete("ROLLBACK" if status == b"E" else "COMMIT")
                status = b"T" if one.upper().endswith("AND CHAIN") else b"I"
            elif word == "ROLLBACK":
                out += complete(word)
                status = b"I"
            elif word == "BEGIN":
                out += complete(word)
                status = b"T"
            elif word == "PREPARE":
                out += complete("PREPARE TRANSACTION")
                status = b"I"
            else:
                out += complete({"INSERT": "INSERT 0 1", "SELECT": "SELECT 0"}.get(word, word))
        return out, status
