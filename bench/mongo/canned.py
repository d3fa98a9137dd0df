#!/usr/bin/env python3
"""A server with ready replies in MongoDB's protocol: what PyMongo and a socket cost, and nothing else.

usage: canned.py

Prints its port, and answers until its standard input is closed. It looks at nothing but a command's name, its
collection and the length of a batch.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
from typing import Any

import bson
import documents

OP_MSG, OP_REPLY, OP_QUERY = 2013, 1, 2004
HELLO = {
    "helloOk": True,
    "ismaster": True,
    "isWritablePrimary": True,
    "msg": "isdbgrid",
    "maxBsonObjectSize": 16777216,
    "maxMessageSizeBytes": 48000000,
    "maxWriteBatchSize": 100000,
    "logicalSessionTimeoutMinutes": 30,
    "minWireVersion": 0,
    "maxWireVersion": 25,
    "ok": 1.0,
}


def cursor(number: int, batch: list[dict[str, Any]], kind: str = "firstBatch") -> bytes:
    return bson.encode({"cursor": {"id": number, "ns": "bench.documents", kind: batch}, "ok": 1.0})


class Replies:
    """The replies, made once."""

    def __init__(self) -> None:
        everything = [documents.document(number) for number in range(documents.MANY)]
        self.hello = bson.encode(HELLO)
        self.one = cursor(0, everything[:1])
        self.range = cursor(0, everything[: documents.RANGE])
        self.none = cursor(0, [])
        self.first = cursor(7, everything[:101])
        self.rest = cursor(0, everything[101:], "nextBatch")
        self.written = bson.encode({"n": 1, "nModified": 1, "ok": 1.0})
        self.many = bson.encode({"n": documents.MANY, "nModified": documents.MANY, "ok": 1.0})
        self.ok = bson.encode({"ok": 1.0})

    def to(self, command: dict[str, Any]) -> bytes:
        name = next(iter(command))
        if name in ("hello", "ismaster", "isMaster"):
            return self.hello
        if name == "find":
            if command[name] == "scanned":
                return self.none
            if "limit" in command:
                return self.one
            return self.range if command["filter"] else self.first
        if name == "getMore":
            return self.rest
        if name in ("insert", "update"):
            batch = command.get("documents") or command.get("updates") or [{}]
            return self.many if len(batch) > 1 or batch[0].get("multi") else self.written
        return self.ok


def serve(client: socket.socket, replies: Replies) -> None:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = client.makefile("rb", buffering=1 << 20)
    while len(header := stream.read(16)) == 16:
        length, request, _, operation = struct.unpack("<iiii", header)
        body = stream.read(length - 16)
        if operation == OP_QUERY:
            reply = struct.pack("<iqii", 0, 0, 0, 1) + replies.hello
            client.sendall(struct.pack("<iiii", 16 + len(reply), 0, request, OP_REPLY) + reply)
            continue
        (size,) = struct.unpack_from("<i", body, 5)
        command = bson.decode(body[5 : 5 + size])
        # A batch beside the body: more than one document, whatever is in it.
        if len(body) > 5 + size and body[5 + size] == 1 and len(body) > 5 + size + 1000:
            command["documents"] = [{}, {}]
        elif len(body) > 5 + size and b"multi\0\1" in body[5 + size :]:
            command["updates"] = [{"multi": True}]
        reply = struct.pack("<iB", 0, 0) + replies.to(command)
        client.sendall(struct.pack("<iiii", 16 + len(reply), 0, request, OP_MSG) + reply)


def main() -> None:
    replies = Replies()
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, replies), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
