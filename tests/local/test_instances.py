"""Several endpoints of one home, from Python: one a folder, with a port, logs and an end of its own."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import kecoa
import kecoa.local
from tests.local.users import EndpointOf, another_user
from tools.testserver import temporary_folder


@pytest.fixture
def home(fresh_endpoint, monkeypatch):
    monkeypatch.setenv("KECOA_HOME", str(fresh_endpoint.home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield fresh_endpoint.home
    for each in kecoa.local.instances():
        kecoa.local.stop(name=each["name"])


def test_a_folder_has_its_own_from_start_to_end(home, tmp_path, monkeypatch):
    folder = tmp_path / "My Shop"
    (folder / "src").mkdir(parents=True)
    monkeypatch.chdir(folder)
    url = kecoa.local.start(here=True, port=0)
    monkeypatch.chdir(folder / "src")
    assert kecoa.local.url() == url
    monkeypatch.chdir(tmp_path)
    assert kecoa.local.url() is None
    [shop] = kecoa.local.instances()
    name = shop["name"]
    assert name.startswith("my-shop-")
    assert (shop["status"], shop["current"], shop["folder"]) == ("running", False, str(folder))
    assert kecoa.local.status(name=name)["port"] == urlsplit(url).port
    with kecoa.local.running(name=name) as same:
        assert same == url
    conn = kecoa.connect(url)
    conn.autocommit = True
    conn.cursor().execute("CREATE TABLE kept (n INT)")
    conn.close()
    assert kecoa.local.reset(name=name) == url
    conn = kecoa.connect(url)
    with pytest.raises(kecoa.errors.UndefinedTable):
        conn.cursor().execute("SELECT * FROM kept")
    conn.close()
    lines = kecoa.local.logs(name=name, lines=1).splitlines()
    assert [line.split(" | ")[0] for line in lines] in (["database"], ["database", "endpoint"])
    kecoa.local.destroy(name=name)
    assert kecoa.local.url(name=name) is None
    assert kecoa.local.instances() == []
    for function in (kecoa.local.reset, kecoa.local.destroy, kecoa.local.logs):
        with pytest.raises(kecoa.OperationalError, match=f"there is no instance `{name}`"):
            function(name=name)
    assert not (home / "instances" / name).exists()


def test_a_port_is_kept_and_one_that_is_taken_is_remarked(home, caplog):
    first = kecoa.local.start(port=0)
    kecoa.local.stop()
    assert kecoa.local.start() == first
    kecoa.local.stop()
    port = urlsplit(first).port
    with socket.socket() as other, caplog.at_level(logging.WARNING, "kecoa.local"):
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        second = kecoa.local.start()
        assert second != first
        assert f"its port {port} is taken; a free one is used this time" in caplog.text
        assert urlsplit(first).password not in caplog.text
        kecoa.local.stop()
    assert kecoa.local.start() == first


def test_a_file_that_names_no_instance_is_an_error(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(".kecoa").write_text("../elsewhere\n")
    for function in (kecoa.local.start, kecoa.local.url, kecoa.local.status, kecoa.local.reset):
        with pytest.raises(kecoa.OperationalError, match=r"\.kecoa names the instance"):
            function()
    assert kecoa.local.url(name="default") is None


def test_an_ordinary_user_starts_where_the_state_may_not_be_read():
    user = another_user()
    with temporary_folder() as folder:
        endpoint = EndpointOf(Path(folder), user)
        try:
            url = endpoint.start("--port", "0")
            endpoint.stop()
            state = Path(folder) / "instances" / "default" / "state.json"
            state.write_text("{}")
            state.chmod(0o000)
            assert "stopped" in endpoint.command("status", check=False).stdout
            assert endpoint.start() == url
            endpoint.stop()
        finally:
            endpoint.command("stop", check=False)
