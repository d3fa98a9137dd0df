"""Connection strings by chance, odd ones among them, for a comparison with libpq."""

from __future__ import annotations

import random
from collections.abc import Iterator

NAMES = (
    "host port dbname user password sslmode options service passfile hostaddr application_name "
    "connect_timeout sslrootcert channel_binding target_session_attrs krbsrvname keepalives requiressl"
).split()
WRONG_NAMES = ["", "x", "hots", "Host", "database", "ssl", "authtype", "pass word"]
PIECES = """
    a b1 :: ::1 : [::1] [ ] [] [a] @ / ? & = % %41 %zz %4 %00 %C3%A9 %E9 # , ; ' " \\ + é 5432 localhost 127.0.0.1
    ssl=true ssl=%74rue sslmode=require requiressl=1 host= port=1 user password=x // postgres - _ . ~ ! * ( $
""".split()
PIECES += [" ", "\t", "\x7f", "\x0b", "\n", "\r"]
AUTHORITIES = ["", "a", "localhost", "[::1]", "::1", "[", ":", ":::", "[::1]x", "[]", "%2Ftmp", "@x", "é"]
SCHEMES = ["postgresql:/", "postgres:", "postgre://", "POSTGRES://", "postgres//", "postgresql:///"]


class Generator:
    """Gives strings, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def some(self, most: int) -> str:
        return "".join(self.random.choice(PIECES) for _ in range(self.random.randint(0, most)))

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def name(self) -> str:
        return self.random.choice(NAMES if self.random.random() < 0.9 else WRONG_NAMES)

    def value(self) -> str:
        return (
            self.one("a", "5432", "localhost", "/tmp", "x y", "it's", "")
            if self.random.random() < 0.3
            else self.some(4)
        )

    def space(self) -> str:
        return self.one(" ", "  ", "\t", "\n", "\x0b", "\f", "\r") if self.random.random() < 0.3 else ""

    def quoted(self, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return self.one(f"'{escaped}'", f"'{escaped}'", f"'{value}'", f"'{value}", value, value)

    def pairs(self) -> str:
        pairs = (
            f"{self.name()}{self.space()}{'=' if self.random.random() < 0.95 else ''}{self.space()}{self.quoted(self.value())}"
            for _ in range(self.random.randint(0, 4))
        )
        return f"{self.space()} ".join(pairs)

    def url(self) -> str:
        scheme = (
            self.one("postgresql://", "postgres://") if self.random.random() < 0.95 else self.one(*SCHEMES)
        )
        user = ""
        if self.random.random() < 0.5:
            user = (
                self.one("u", "", "u%40", "é", self.some(2))
                + self.one("", ":", ":p", ":p:q", ":%20", ":" + self.some(3))
                + "@"
            )
        hosts = ",".join(
            self.one(*AUTHORITIES, self.some(3))
            + self.one("", ":", ":1", ":5432", ":a", "::", ":1:", ":-1", ":" + self.some(2))
            for _ in range(self.random.choice([0, 1, 1, 1, 2, 3]))
        )
        path = self.one("", "/", "/db", "/d%20b", "/" + self.some(3), "//db", "/a/b")
        query = ""
        if self.random.random() < 0.5:
            options = (
                self.one(
                    f"{self.name()}={self.value()}",
                    self.name(),
                    self.some(3),
                    "ssl=true",
                    "ssl=false",
                    "=",
                    "",
                )
                for _ in range(self.random.randint(0, 3))
            )
            query = "?" + "&".join(options)
        return scheme + user + hosts + path + query

    def mistyped(self, text: str) -> str:
        characters = list(text)
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randint(0, len(characters))
            if self.random.random() < 0.4 and characters:
                del characters[min(at, len(characters) - 1)]
            else:
                characters.insert(at, self.random.choice(PIECES))
        return "".join(characters)

    def strings(self, count: int) -> Iterator[str]:
        for _ in range(count):
            text = self.url() if self.random.random() < 0.6 else self.pairs()
            yield self.mistyped(text) if self.random.random() < 0.3 else text
