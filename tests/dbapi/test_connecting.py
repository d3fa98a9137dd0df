"""Connection options beyond psycopg2's, and what is said of wrong ones beside what psycopg2 says."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from psycopg import pq

import kecoa
import kecoa.aio
from kecoa.extensions import make_dsn, parse_dsn

HERE = Path(__file__).parent
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes away what the surroundings say about connections."""
    for name in list(os.environ):
        if name.startswith("PG"):
            monkeypatch.delenv(name)


def wrong_dsns() -> Iterator[tuple[str, str, str, str]]:
    """Each of the table: when it shows (P or O), how psycopg2 compares, the string, the message."""
    for block in (HERE / "wrong_dsns.txt").read_text("utf-8").split("\n\n"):
        match = re.match(r"\[([PO]) (\w+)\] ([^\n]*)\n(.*)", block, re.DOTALL)
        if match is not None:
            when, relation, dsn, message = match.groups()
            yield when, relation, dsn, message.rstrip("\n").replace("\\t", "\t")


WRONG = list(wrong_dsns())
CLASSES = {"P": "ProgrammingError", "O": "OperationalError"}


def outcome(module: Any, dsn: str) -> tuple[str, str]:
    """Class and message of what connecting raises, the message without psycopg2's prefix."""
    try:
        conn = module.connect(dsn)
    except (module.Error, UnicodeDecodeError) as error:
        return type(error).__name__, str(error).strip().removeprefix("invalid dsn: ")
    conn.close()
    pytest.fail(f"{module.__name__} connects with {dsn}")


def test_the_table_is_long() -> None:
    assert len(WRONG) >= 60
    assert {relation for _, relation, _, _ in WRONG} == {"same", "words", "class", "ours"}


@pytest.mark.parametrize(("when", "relation", "dsn", "message"), WRONG, ids=[row[2] for row in WRONG])
def test_a_wrong_string_is_refused(when: str, relation: str, dsn: str, message: str) -> None:
    ours = outcome(kecoa, dsn)
    assert ours == (CLASSES[when], message)
    assert SECRET not in ours[1]
    theirs = outcome(psycopg2, dsn)
    if relation == "same":
        assert ours == theirs
    elif relation == "words":
        assert ours != theirs
        assert (ours[0], ours[1].splitlines()[0]) == (theirs[0], theirs[1].splitlines()[0])
    elif relation == "class":
        assert ours[0] == theirs[0]
        assert ours[1].splitlines()[0] != theirs[1].splitlines()[0]
    else:
        assert ours[0] != theirs[0]


@pytest.mark.parametrize("dsn", [row[2] for row in WRONG if row[0] == "P"])
def test_parse_dsn_refuses_it_as_well(dsn: str) -> None:
    with pytest.raises(kecoa.ProgrammingError) as caught:
        parse_dsn(dsn)
    assert SECRET not in str(caught.value)


def test_wrong_keywords_are_refused_likewise() -> None:
    with pytest.raises(kecoa.ProgrammingError, match='did you mean "target_session_attrs"'):
        kecoa.connect(target_session_attr="any")
    with pytest.raises(kecoa.OperationalError, match='did you mean "read-write"'):
        kecoa.connect(host="127.0.0.1", target_session_attrs="readwrite")

    async def opens() -> None:
        with pytest.raises(kecoa.OperationalError, match='did you mean "round_robin"'):
            await kecoa.aio.connect(host="127.0.0.1", load_balance_hosts="round-robin")

    asyncio.run(opens())


@pytest.mark.parametrize(
    "value", ["/tmp/caf\udce9", b"/tmp/caf\xe9", Path("/tmp/caf\udce9"), os.fsdecode(b"\xff")]
)
def test_an_argument_that_is_not_utf8_is_refused_by_name(value: Any) -> None:
    async def opens() -> None:
        await kecoa.aio.connect(host="127.0.0.1", sslrootcert=value)

    for call in (lambda: kecoa.connect(host="127.0.0.1", sslrootcert=value), lambda: asyncio.run(opens())):
        with pytest.raises(
            kecoa.ProgrammingError, match="expected UTF-8 in the value of sslrootcert"
        ) as caught:
            call()
        assert "caf" not in repr(caught.value)
        assert caught.value.__suppress_context__


def test_a_connection_string_that_is_no_text_is_not_shown() -> None:
    for call in (kecoa.connect, parse_dsn, lambda dsn: kecoa.connect(dsn, port=1)):
        with pytest.raises(kecoa.ProgrammingError, match="expected UTF-8") as caught:
            call(f"host=caf\udce9 password={SECRET}")
        assert SECRET not in repr(caught.value)


def test_paths_and_bytes_are_text() -> None:
    made = make_dsn(sslrootcert=Path("/tmp/a b"), password=b"caf\xc3\xa9", dbname=bytearray(b"x"))
    assert parse_dsn(made) == {"password": "café", "dbname": "x", "sslrootcert": "/tmp/a b"}


@pytest.mark.parametrize(
    "url",
    [f"postgresql://maya:1/{SECRET}@db.example/bank", f"postgresql://maya:p@{SECRET}/x@db.example/bank"],
)
def test_a_misread_url_is_refused_before_its_parts_are_used(url: str) -> None:
    async def opens() -> None:
        await kecoa.aio.connect(url, connect_timeout=1)

    for call in (lambda: kecoa.connect(url, connect_timeout=1), lambda: asyncio.run(opens())):
        with pytest.raises(kecoa.OperationalError, match="HINT: in the user name and the password") as caught:
            call()
        assert SECRET not in str(caught.value)


def test_every_option_of_libpq_is_known() -> None:
    # What psycopg 3 brings is libpq 18.
    names = [option.keyword.decode() for option in pq.Conninfo.get_defaults()]
    assert len(names) >= 50
    for name in names:
        assert parse_dsn(f"{name}=x") == {name: "x"}


def test_kecoas_own_options_are_options() -> None:
    made = make_dsn("host=a,b", connect_total_timeout=7, load_balance_hosts="round_robin")
    assert parse_dsn(made) == {
        "host": "a,b",
        "load_balance_hosts": "round_robin",
        "connect_total_timeout": "7",
    }
    url = parse_dsn("postgresql://a:1,b:2/bank?connect_total_timeout=7&require_auth=!md5")
    assert url["connect_total_timeout"] == "7"
    assert url["require_auth"] == "!md5"


OPTIONS = {
    "target_session_attrs": "read-write",
    "load_balance_hosts": "random",
    "connect_timeout": 30,
    "connect_total_timeout": 60,
    "require_auth": "none,scram-sha-256,md5,password",
    "min_protocol_version": "3.0",
    "keepalives": 1,
    "keepalives_idle": 30,
}


def test_options_reach_the_connection(connect: Callable[..., Any]) -> None:
    conn = connect(**OPTIONS)
    used = conn.get_dsn_parameters()
    assert {name: used[name] for name in OPTIONS} == {name: str(value) for name, value in OPTIONS.items()}


def test_with_asyncio(dsn: str) -> None:
    async def opens() -> Any:
        conn = await kecoa.aio.connect(dsn, **OPTIONS)
        try:
            return await (await conn.execute("SELECT 1")).fetchone()
        finally:
            await conn.close()

    assert asyncio.run(opens()) == (1,)


READ_ONLY = {"options": "-c default_transaction_read_only=on"}


@pytest.mark.parametrize(
    ("wanted", "settings", "complaint"),
    [
        ("primary", {}, None),
        ("prefer-standby", {}, None),
        ("read-only", READ_ONLY, None),
        ("read-only", {}, "session is not read-only"),
        ("read-write", READ_ONLY, "session is read-only"),
        ("standby", {}, "server is not in hot standby mode"),
    ],
)
def test_the_session_is_what_was_asked_for_as_with_psycopg2(
    dsn: str, wanted: str, settings: dict[str, Any], complaint: str | None
) -> None:
    for module in (psycopg2, kecoa):
        if complaint is None:
            module.connect(dsn, target_session_attrs=wanted, **settings).close()
            continue
        with pytest.raises(module.OperationalError, match=f"failed: {complaint}$"):
            module.connect(dsn, target_session_attrs=wanted, **settings)

    async def opens() -> None:
        await (await kecoa.aio.connect(dsn, target_session_attrs=wanted, **settings)).close()

    if complaint is None:
        asyncio.run(opens())
    else:
        with pytest.raises(kecoa.OperationalError, match=complaint):
            asyncio.run(opens())


def test_the_local_endpoint_is_a_primary_that_writes(fresh_endpoint: Any) -> None:
    url = fresh_endpoint.start()
    for wanted in ("primary", "read-write", "prefer-standby"):
        kecoa.connect(url, target_session_attrs=wanted).close()
    with pytest.raises(kecoa.OperationalError, match="server is not in hot standby mode"):
        kecoa.connect(url, target_session_attrs="standby")
    with pytest.raises(kecoa.OperationalError, match="session is not read-only"):
        kecoa.connect(url, target_session_attrs="read-only")


@pytest.fixture
def silent() -> Iterator[int]:
    """A port on which somebody listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_limit_for_all_hosts_names_itself(silent: int) -> None:
    message = (
        f'connection to server at "127.0.0.1", port {silent} failed: '
        "timeout expired (connect_total_timeout is 1 s)"
    )
    hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{silent},{silent}", "connect_total_timeout": 1}
    with pytest.raises(kecoa.OperationalError, match=f"^{re.escape(message)}$"):
        kecoa.connect(**hosts)

    async def opens() -> None:
        await kecoa.aio.connect(**hosts)

    with pytest.raises(kecoa.OperationalError, match=f"^{re.escape(message)}$"):
        asyncio.run(opens())


def test_a_silent_host_is_left_behind(silent: int, dsn: str) -> None:
    options = parse_dsn(dsn)
    host, port = options.pop("host", ""), options.pop("port", "5432")
    conn = kecoa.connect(**options, host=f"127.0.0.1,{host}", port=f"{silent},{port}", connect_timeout=2)
    assert (conn.info.host, conn.info.port) == (host, int(port))
    conn.close()


def test_a_refused_method_gets_no_password() -> None:
    received = b""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def asks_for_the_password_in_clear() -> None:
            nonlocal received
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(b"R\0\0\0\x08\0\0\0\x03")
                while piece := client.recv(4096):
                    received += piece

        thread = threading.Thread(target=asks_for_the_password_in_clear)
        thread.start()
        with pytest.raises(kecoa.OperationalError) as caught:
            kecoa.connect(
                host="127.0.0.1",
                port=server.getsockname()[1],
                password=SECRET,
                sslmode="disable",
                require_auth="scram-sha-256",
            )
        thread.join()
    assert str(caught.value).endswith(
        'authentication method requirement "scram-sha-256" failed: server requested a cleartext password\n'
    )
    assert received == b""


def test_a_password_file_that_others_can_read_is_a_warning(dsn: str, tmp_path: Path) -> None:
    options = parse_dsn(dsn)
    options.pop("password", None)
    file = tmp_path / "passwords"
    file.write_text("*:*:*:*:hunter2\n")
    file.chmod(0o644)
    with pytest.warns(UserWarning, match="has group or world access; permissions should be") as caught:
        kecoa.connect(**options, passfile=str(file)).close()
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_documents_example_is_taken(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (HERE.parent.parent / "docs" / language / "reference/connecting.md").read_text("utf-8")
    taken = []
    monkeypatch.setattr(kecoa, "connect", lambda **keywords: taken.append(make_dsn(**keywords)))
    (code,) = re.findall(r"^<!-- not run: tested elsewhere -->\n```python\n(.*?)^```$", page, re.M | re.S)
    exec(compile(code, "connecting.md", "exec"), {"kecoa": kecoa})
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
    for line in [*taken, *shown.splitlines()]:
        assert parse_dsn(line)["dbname"] == "bank"


def test_info_names_the_host_that_was_taken(dsn: str) -> None:
    options = parse_dsn(dsn)
    with socket.socket() as refusing:
        refusing.bind(("127.0.0.1", 0))
        several = {
            **options,
            "host": f"127.0.0.1,{options['host']}",
            "port": f"{refusing.getsockname()[1]},{options['port']}",
        }
        for module in (psycopg2, kecoa):
            conn = module.connect(**several)
            assert (conn.info.host, conn.info.port) == (options["host"], int(options["port"]))
            assert conn.get_dsn_parameters()["host"] == several["host"]
            conn.close()


def test_a_real_standby_is_distinguished_from_a_primary(dsn: str, own_server: Any) -> None:
    # Without anything to follow it waits for a log that never comes, and serves reads.
    own_server.stop()
    (own_server.data / "standby.signal").touch()
    own_server.start()
    primary, standby = parse_dsn(dsn), parse_dsn(own_server.dsn)
    both = {name: f"{primary[name]},{standby[name]}" for name in ("host", "port")}
    login = {"user": "postgres", "dbname": "postgres"}
    taken = {
        "any": primary,
        "read-write": primary,
        "primary": primary,
        "read-only": standby,
        "standby": standby,
        "prefer-standby": standby,
    }
    for wanted, place in taken.items():
        for module in (psycopg2, kecoa):
            conn = module.connect(**login, **both, target_session_attrs=wanted)
            assert (conn.info.host, conn.info.port) == (place["host"], int(place["port"])), wanted
            conn.close()
    conn = kecoa.connect(own_server.dsn)
    with conn.cursor() as cur:
        cur.execute("SELECT pg_promote()")
    conn.close()
    # What was a standby takes writes now, and no setting has to change.
    kecoa.connect(own_server.dsn, target_session_attrs="read-write").close()
