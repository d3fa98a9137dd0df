"""Who accepts which certificate: kecoa judges as libpq does, but where a reason says why not."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

import kecoa
import kecoa.aio
from kecoa.extras import wait_select
from tests.tls.matrix import NO, Case
from tests.tls.matrix.chains import CHAINS
from tests.tls.matrix.lists import LISTS
from tests.tls.matrix.modes import MODES
from tests.tls.matrix.names import NAMES
from tests.tls.matrix.run import outcome, prepared
from tests.tls.scripted_server import ScriptedServer

CASES = [*NAMES, *CHAINS, *LISTS, *MODES]
#: What no message has: names of types, or Rust's way to show a value.
RAW = ("OtherError", "Context", "Other(", "Some(", "Error(", "{ ")
DOCUMENTS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedServer]:
    with ScriptedServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, server: ScriptedServer) -> None:
    dsn = prepared(case, server, server.folder)
    theirs, said = outcome(psycopg2, dsn)
    assert theirs == case.libpq, said
    ours, said = outcome(kecoa, dsn)
    assert ours == (case.kecoa or case.libpq), said
    if ours != NO:
        return
    assert case.says in said
    assert not [raw for raw in RAW if raw in said], said
    # The server's own words need none, nor those that name the way out.
    if "SSL error: " in said or "server certificate" in said:
        assert "\nHINT: " in said


def aio(dsn: str) -> None:
    async def run() -> None:
        await (await kecoa.aio.connect(dsn)).close()

    asyncio.run(run())


def async_mode(dsn: str) -> None:
    """Connect as psycopg2's asynchronous connections do: the caller waits for the socket."""
    connection = kecoa.connect(dsn, async_=True)
    wait_select(connection)
    connection.close()


#: The ways to connect that are not `kecoa.connect`, which all cases go.
WAYS = [aio, async_mode]
SOME = [case for case in CASES if case.name in {
    "signed by the root",
    "an authority between without its root",
    "a root that has expired",
    "constraints: a common name outside",
    "lists: the authority between revoked, in the file",
    "another host",
}]  # fmt: skip


@pytest.mark.parametrize("connect", WAYS)
@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_every_way_to_connect_judges_alike(
    connect: Callable[[str], None], case: Case, server: ScriptedServer
) -> None:
    dsn = prepared(case, server, server.folder)
    if case.libpq != NO:
        connect(dsn)
        return
    with pytest.raises(kecoa.OperationalError) as raised:
        connect(dsn)
    assert case.says in str(raised.value)


def bullets(text: str) -> list[str]:
    """Return the items of the lists in a text, each in one line."""
    found = re.findall(r"^- (.*?)(?=\n- |\n\n|\n?\Z)", text, re.M | re.S)
    return [re.sub(r"\n *", " ", item) for item in found]


def test_differences_have_their_reason_in_the_documents() -> None:
    reasons = {case.why for case in CASES if case.why}
    assert all(bool(case.why) == (case.kecoa not in ("", case.libpq)) for case in CASES)
    english, indonesian = (
        (DOCUMENTS / language / "reference/tls.md").read_text("utf-8") for language in ("en", "id")
    )
    listed = bullets(english.split("## Differences from libpq")[1])
    for reason in reasons:
        assert [line for line in listed if line.casefold().startswith(reason.casefold())], reason
    assert len(bullets(indonesian.split("\n## ")[-1])) == len(listed)


def test_there_are_enough() -> None:
    names = Counter(case.name for case in CASES)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(CASES) >= 500
