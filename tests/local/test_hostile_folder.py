"""Whatever lies in the endpoint's folders, no command waits for ever, and an error names what to do."""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

import kecoa
from tests.conftest import Endpoint
from tests.local.processes import alive, wait_until
from tests.reasons import skip, skip_if
from tools.testserver import temporary_folder

LIMIT = 100


def fifo(path):
    os.mkfifo(path)


def link(path):
    path.symlink_to(path.parent / "elsewhere")


def endless(path):
    path.symlink_to("/dev/zero")


def folder(path):
    path.mkdir()


def bound(path):
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(here)


def empty(path):
    path.write_bytes(b"")


def nonsense(path):
    path.write_bytes(b"\0\xff{]\n" * 10)


def huge(path):
    with path.open("wb") as file:
        file.truncate(1 << 30)


def not_a_state(path):
    path.write_text(
        '{"daemon": {"pid": 1, "started": "x"}, "phase": "ready", "engine": "postgres", "port": 1}'
    )


def foreign(path):
    path.write_text("x")
    if os.geteuid() != 0:
        skip("not-root")
    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)


THINGS = [fifo, link, endless, folder, bound, empty, nonsense, huge, not_a_state, foreign]


def run(endpoint, *arguments):
    """Run a command, which ends."""
    return endpoint.kecoa("local", *arguments, check=False, timeout=LIMIT)


@pytest.fixture
def instance(fresh_endpoint):
    path = fresh_endpoint.home / "instances" / "default"
    path.mkdir(parents=True, mode=0o755)
    yield path
    subprocess.run(["chmod", "-R", "u+rwX", path], check=False)


@pytest.mark.parametrize("thing", [fifo, link, nonsense, foreign])
@pytest.mark.parametrize(
    "name", ["state.json", "start.lock", "serve.lock", "local.log", "password", "id", "socket"]
)
def test_something_else_in_the_instance(fresh_endpoint, instance, name, thing):
    thing(instance / name)
    for command in ("status", "start", "stop"):
        done = run(fresh_endpoint, command)
        assert "panicked" not in done.stderr
        assert done.returncode in (0, 1, 3), done.stderr
        if command == "start" and done.returncode == 0:
            with psycopg2.connect(done.stdout.strip()) as conn:
                conn.cursor().execute("SELECT 1")
        elif done.returncode == 1:
            assert str(instance) in done.stderr + done.stdout
    # Nothing but a file of ours was written to.
    assert not (instance / "elsewhere").exists()


@pytest.fixture(scope="module")
def shared_data():
    """Data in which no server runs, left by each test as it was found."""
    with temporary_folder() as folder:
        endpoint = Endpoint(Path(folder))
        yield from data_of(endpoint)
        endpoint.command("stop", check=False)


@pytest.fixture
def stopped(fresh_endpoint):
    """The same, of the test's own."""
    yield from data_of(fresh_endpoint)


def data_of(fresh_endpoint):
    url = fresh_endpoint.start()
    with psycopg2.connect(url) as conn:
        conn.cursor().execute("CREATE TABLE kept (n INT)")
    fresh_endpoint.stop()
    data = next((fresh_endpoint.home / "instances" / "default").glob("pg*"))
    yield fresh_endpoint, data


def another_pid(path):
    path.write_text(f"{os.getpid()}\n{path.parent}\n1\n5432\n/tmp\n\n1 1\nready\n")


def far_socket(path):
    path.write_text(f"4194000\n{path.parent}\n1\n5432\n/tmp/../etc\n\n1 1\nready\n")


@pytest.mark.parametrize("thing", [*THINGS, another_pid, far_socket])
def test_something_else_for_the_server_s_pid(shared_data, thing):
    endpoint, data = shared_data
    thing(data / "postmaster.pid")
    assert run(endpoint, "status").returncode in (1, 3)
    assert run(endpoint, "stop").returncode == 0
    done = run(endpoint, "start")
    if thing is folder:
        assert done.returncode == 1
        assert str(data / "postmaster.pid") in done.stderr
        (data / "postmaster.pid").rmdir()
        return
    assert done.returncode == 0, done.stderr
    with psycopg2.connect(done.stdout.strip()) as conn:
        conn.cursor().execute("SELECT * FROM kept")
    assert run(endpoint, "stop").returncode == 0
    assert alive(os.getpid())


@pytest.mark.parametrize("thing", [fifo, link, folder])
def test_something_else_for_the_data(stopped, thing):
    endpoint, data = stopped
    (data / "PG_VERSION").unlink()
    thing(data / "PG_VERSION")
    done = run(endpoint, "start")
    assert done.returncode == 1
    assert str(data) in done.stderr
    shutil.rmtree(data)
    thing(data)
    done = run(endpoint, "start")
    assert done.returncode in ((0, 1) if thing is folder else (1,))
    assert done.returncode == 0 or str(data) in done.stderr


@skip_if(os.geteuid() != 0, "not-root")
def test_folders_of_another_user(stopped):
    endpoint, data = stopped
    for path in (data, data.parent, data.parent.parent, endpoint.home):
        before = path.stat()
        os.chown(path, pwd.getpwnam("games").pw_uid, -1)
        done = run(endpoint, "start")
        assert done.returncode == 1
        assert str(path) in done.stderr
        assert "belongs to user id" in done.stderr
        os.chown(path, before.st_uid, before.st_gid)
    data.parent.chmod(0o777)
    done = run(endpoint, "start")
    assert done.returncode == 1
    assert "every user of this machine" in done.stderr
    data.parent.chmod(0o755)
    endpoint.start()


def spoil(state, thing):
    """Put something else in the place of the state; the endpoint may be faster to write it again."""
    while True:
        state.unlink(missing_ok=True)
        try:
            return thing and thing(state)
        except FileExistsError:
            continue


@pytest.mark.parametrize("thing", [None, fifo, empty, not_a_state])
def test_a_state_that_is_spoilt_while_it_runs(fresh_endpoint, thing):
    url = fresh_endpoint.start()
    instance = fresh_endpoint.home / "instances" / "default"
    state = instance / "state.json"
    spoil(state, thing)
    assert run(fresh_endpoint, "start").stdout.strip() == url

    def is_back():
        return (
            json.loads(state.read_text())["url"] == url
            if state.is_file() and state.stat().st_size < 9999
            else False
        )

    def restored():
        try:
            return is_back()
        except (ValueError, OSError):
            return False

    wait_until(restored)
    assert run(fresh_endpoint, "status").returncode == 0
    spoil(state, thing)
    assert run(fresh_endpoint, "stop").returncode == 0
    assert run(fresh_endpoint, "status").returncode == 3


def test_a_state_that_stays_unreadable_names_the_file_and_the_process(fresh_endpoint):
    fresh_endpoint.start()
    state = fresh_endpoint.home / "instances" / "default" / "state.json"
    pid = json.loads(state.read_text())["daemon"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        empty(state)
        for command in ("status", "start"):
            done = run(fresh_endpoint, command)
            said = done.stderr + done.stdout
            assert done.returncode == 1, said
            assert str(state) in said
            assert "is empty" in said
            assert f"kill {pid}" in said
    finally:
        os.kill(pid, signal.SIGCONT)


@skip_if(not sys.platform.startswith("linux"), "not-linux")
@pytest.mark.parametrize("spoil", [None, empty])
def test_after_both_were_killed_and_nobody_reaped_them(fresh_endpoint, spoil):
    """As in a container whose first process is no init: the dead stay as zombies, and their ids are taken."""
    prctl = ctypes.CDLL(None).prctl
    prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans become ours, and we don't look after them
    try:
        url = fresh_endpoint.start()
        with psycopg2.connect(url) as conn:
            conn.cursor().execute("CREATE TABLE t (n INT)")
            conn.cursor().execute("INSERT INTO t VALUES (1)")
        state = fresh_endpoint.home / "instances" / "default" / "state.json"
        for _ in range(2):
            recorded = json.loads(state.read_text())
            pids = [recorded[who]["pid"] for who in ("daemon", "server")]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda pids=pids: not any(alive(pid) for pid in pids))
            assert all(Path(f"/proc/{pid}").exists() for pid in pids), "they were reaped after all"
            if spoil:
                spoil(state)
            assert run(fresh_endpoint, "status").returncode == 3
            again = fresh_endpoint.start()
            with kecoa.connect(again) as conn:
                cur = conn.cursor()
                cur.execute("SELECT count(*) FROM t")
                assert cur.fetchone() == (1,)
        # The server alone, under an endpoint that goes on.
        os.kill(json.loads(state.read_text())["server"]["pid"], signal.SIGKILL)

        def answers():
            try:
                psycopg2.connect(again, connect_timeout=5).close()
            except psycopg2.OperationalError:
                return False
            return True

        time.sleep(0.3)
        wait_until(answers, 30)
        fresh_endpoint.stop()
    finally:
        prctl(36, 0, 0, 0, 0)
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break


def identity(pid):
    stat = Path(f"/proc/{pid}/stat").read_text()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return {"pid": pid, "started": f"{boot}/{stat[stat.rindex(')') + 2 :].split()[19]}"}


@skip_if(not sys.platform.startswith("linux"), "not-linux")
@pytest.mark.parametrize("where", ["state", "lock", "cockroach"])
def test_files_that_name_another_process_end_nobody(fresh_endpoint, where):
    """Whatever process of ours a file names, with the very time it started."""
    fresh_endpoint.start()
    state = fresh_endpoint.home / "instances" / "default" / "state.json"
    recorded = json.loads(state.read_text())
    serving = recorded["daemon"]["pid"]
    with subprocess.Popen(["sleep", "300"]) as stranger:
        named = identity(stranger.pid)
        if where == "cockroach":
            fresh_endpoint.stop()
            recorded |= {"engine": "cockroach", "daemon": named, "server": named}
            state.write_text(json.dumps(recorded))
            state.chmod(0o600)
            assert run(fresh_endpoint, "status").returncode == 3
            assert run(fresh_endpoint, "stop").returncode == 0
        else:
            os.kill(serving, signal.SIGSTOP)  # it would put them right
            if where == "lock":
                state.write_bytes(b"")
                (state.parent / "serve.lock").write_text(json.dumps(named))
            else:
                state.write_text(json.dumps(recorded | {"daemon": named}))
            with subprocess.Popen(["sh", "-c", f"sleep 2; kill -CONT {serving}"]):
                assert run(fresh_endpoint, "stop").returncode == 0
        assert stranger.poll() is None
        stranger.kill()
    assert run(fresh_endpoint, "status").returncode == 3


@skip_if(os.geteuid() != 0, "not-root")
@pytest.mark.parametrize("mask", ["077", "027"])
def test_roots_umask_does_not_shut_out_the_server(fresh_endpoint, mask):
    """Directories that root makes are passed by the user that PostgreSQL runs as."""
    fresh_endpoint.home.chmod(0o755)
    home = fresh_endpoint.home / "made" / "here"
    fresh_endpoint.environment["KECOA_HOME"] = str(home)
    done = subprocess.run(
        ["sh", "-c", f'umask {mask}; exec "$0" -m kecoa local start', sys.executable],
        env=fresh_endpoint.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr
    instance = home / "instances" / "default"
    assert list(instance.glob("pg*")), "the data is elsewhere"
    for name in ("state.json", "password", "local.log", "server.log"):
        assert (instance / name).stat().st_mode & 0o777 == 0o600


@skip_if(os.geteuid() != 0, "not-root")
@pytest.mark.parametrize("name", ["instances", "instances/default"])
def test_links_that_another_user_made_are_not_followed(fresh_endpoint, tmp_path, name):
    """In a home where others may add things, as in /tmp."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    home = fresh_endpoint.home
    home.chmod(0o1777)
    link = home / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    os.chown(link, pwd.getpwnam("games").pw_uid, -1, follow_symlinks=False)
    done = run(fresh_endpoint, "start")
    assert done.returncode == 1
    assert str(link) in done.stderr
    assert "belongs to user id" in done.stderr
    assert not list(elsewhere.iterdir())


def test_a_home_too_deep_for_a_socket_leaves_nothing_in_tmp(fresh_endpoint):
    deep = fresh_endpoint.home / ("d" * 100)
    deep.mkdir(mode=0o755)
    fresh_endpoint.environment["KECOA_HOME"] = str(deep)
    fresh_endpoint.start()
    status = json.loads(fresh_endpoint.command("status", "--json").stdout)
    folder = Path(status["socket"])
    assert not folder.is_relative_to(deep)
    assert folder.stat().st_mode & 0o777 == 0o700
    psycopg2.connect(host=str(folder), port=status["port"], user="root", dbname="defaultdb").close()
    fresh_endpoint.stop()
    assert not folder.exists()
