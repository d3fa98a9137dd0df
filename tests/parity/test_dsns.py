"""Connection strings and password files beside libpq: the same options, the same password, or both refuse."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest

import kecoa
from tests.parity.generated_dsns import Generator

STRINGS = int(os.environ.get("KECOA_TEST_DSNS", "4000"))
FILES = int(os.environ.get("KECOA_TEST_PASSFILES", "150"))


def read(module: Any, text: str) -> dict[str, str] | None:
    try:
        return dict(module.extensions.parse_dsn(text))
    # psycopg2 gives text only, and raises for bytes that are none.
    except (module.ProgrammingError, UnicodeDecodeError):
        return None


@pytest.mark.parametrize("seed", range(3))
def test_generated_strings_are_read_as_by_libpq(seed: int) -> None:
    accepted = 0
    for text in Generator(seed).strings(STRINGS):
        if text != text.strip() and text.strip().startswith(("postgres://", "postgresql://")):
            # White space around a URL is ours to drop: libpq takes it for a part of a database's name.
            continue
        ours, theirs = read(kecoa, text), read(psycopg2, text)
        if ours is None and "%E9" in text:
            # Bytes that are no UTF-8 are refused here also where another value of the option follows.
            continue
        assert ours == theirs, repr(text)
        accepted += theirs is not None
    assert STRINGS * 0.2 < accepted < STRINGS * 0.8


@pytest.mark.parametrize("text", ["postgres://::1:/db", "postgres://:::::/", "postgres://@::1:1,[::1]:/x@y"])
def test_odd_authorities_are_read_as_by_libpq(text: str) -> None:
    assert read(kecoa, text) == read(psycopg2, text) is not None


class Listener:
    """A server that asks for the password in clear, and hangs up when it has it."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer, suppress(OSError):
                peer.recv(4096)
                peer.sendall(b"R\0\0\0\x08\0\0\0\x03")
                self.received.append(peer.recv(4096)[5:-1])

    def password(self, module: Any, path: Path) -> bytes:
        """What a driver sends; nothing where it sends none."""
        self.received.clear()
        options = "user=maya dbname='b:nk' sslmode=disable gssencmode=disable connect_timeout=10"
        with pytest.raises(module.OperationalError):
            module.connect(f"host=127.0.0.1 port={self.port} passfile={path} {options}")
        return self.received[-1] if self.received else b""


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


def generated_file(chance: random.Random, port: int) -> bytes:
    fields = [
        b"*",
        b"127.0.0.1",
        b"maya",
        b"b\\:nk",
        b"b:nk",
        str(port).encode(),
        b"",
        b"\\",
        b"**",
        b"m\\aya",
    ]
    odd = [b":", b"\\", b"\\\\", b"#", b"\r", b"\xe4", b" ", b"*", b"x", b"hunter2", b"\\:"]
    lines = []
    for _ in range(chance.randint(0, 4)):
        if chance.random() < 0.6:
            right = [b"127.0.0.1", str(port).encode(), b"b\\:nk", b"maya"]
            parts = [chance.choice([b"*", value]) for value in right]
        else:
            parts = [chance.choice(fields) for _ in range(chance.randint(2, 5))]
        password = b"".join(chance.choice(odd) for _ in range(chance.randint(0, 4)))
        prefix = b"#" if chance.random() < 0.1 else b""
        lines.append(
            prefix + b":".join([*parts, password]) + chance.choice([b"\n", b"\r\n", b"\r\r\n", b"\n\n"])
        )
    text = b"".join(lines)
    return text[:-1] if chance.random() < 0.2 else text


def test_generated_password_files_are_read_as_by_libpq(listener: Listener, tmp_path: Path) -> None:
    chance, path, found = random.Random(7), tmp_path / "pgpass", 0
    path.touch(0o600)
    for _ in range(FILES):
        path.write_bytes(generated_file(chance, listener.port))
        theirs = listener.password(psycopg2, path)
        assert listener.password(kecoa, path) == theirs, path.read_bytes()
        found += theirs != b""
    assert FILES * 0.1 < found < FILES * 0.9
