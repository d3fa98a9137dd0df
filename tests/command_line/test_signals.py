"""Ctrl-C ends every command at once, with 130 and without a traceback; SIGTERM with 143."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kecoa

from ..terminal import Terminal
from .conftest import InTerminal

SILENT = {
    "demo": lambda url: ["demo", "--url", url],
    "doctor": lambda url: ["doctor", url],
    "doctor with TLS": lambda url: ["doctor", f"{url}?sslmode=require"],
    "sql": lambda url: ["sql", url],
    "sql -c": lambda url: ["sql", url, "-c", "SELECT 1"],
    "mongo start": lambda url: ["mongo", "start", "--database", url],
    "mongo start --foreground": lambda url: ["mongo", "start", "--foreground", "--database", url],
}


def assert_ended(process, status):
    assert process.status() == status, process.shown()
    assert "Traceback" not in process.shown()
    assert "KeyboardInterrupt" not in process.shown()
    assert "panicked" not in process.shown()


@pytest.mark.parametrize("name", SILENT)
def test_a_host_that_never_answers(start, silent, name):
    process = start(*SILENT[name](silent.url))
    silent.wait_for_client()
    process.interrupt()
    assert_ended(process, 130)


@pytest.mark.parametrize("name", ["demo", "doctor", "mongo start"])
def test_a_host_that_never_answers_and_sigterm(start, silent, name):
    process = start(*SILENT[name](silent.url))
    silent.wait_for_client()
    process.process.send_signal(signal.SIGTERM)
    assert_ended(process, 143)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_proxy_closes_what_it_opened(start, silent, number, status):
    process = start("faults", "--faults", "drop:0.0", "--to", silent.url)
    process.until("postgresql://maya@127.0.0.1")
    process.process.send_signal(number)
    assert_ended(process, status)


def test_the_proxy_with_a_client(start, silent):
    process = start("faults", "--faults", "drop:0.0", "--to", silent.url)
    url = next(word for word in process.until("sslmode=disable").split() if word.startswith("postgresql:"))
    client = subprocess.Popen([sys.executable, "-m", "kecoa", "sql", url, "-c", "SELECT 1"], env=os.environ)
    silent.wait_for_client()
    process.interrupt()
    assert_ended(process, 130)
    assert client.wait(60) == 1


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_endpoint_in_the_foreground_stops_its_server(start, environment, number, status):
    process = start("local", "start", "--foreground")
    url = next(word for word in process.until("sslmode=").split() if word.startswith("postgresql:"))
    kecoa.connect(url).close()
    if number == signal.SIGINT:
        process.interrupt()
    else:
        process.process.send_signal(number)
    assert_ended(process, status)
    with pytest.raises(kecoa.OperationalError):
        kecoa.connect(url)
    shown = subprocess.run(
        [sys.executable, "-m", "kecoa", "local", "status"], env=environment, capture_output=True, text=True
    )
    assert (shown.returncode, shown.stdout) == (3, "stopped\n")


def test_a_gateway_in_the_foreground(start, dsn):
    process = start("mongo", "start", "--foreground", "--no-password", "--port", "0", "--database", dsn)
    process.until("mongodb://")
    process.interrupt()
    assert_ended(process, 130)


def test_the_start_of_an_endpoint_that_waits_for_another(start, environment, tmp_path):
    instance = tmp_path / "home" / "instances" / "default"
    instance.mkdir(parents=True, mode=0o700)
    lock = instance / "start.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        process = start("local", "start")
        with pytest.raises(subprocess.TimeoutExpired):
            process.process.wait(timeout=2)
        process.interrupt()
        assert_ended(process, 130)


def hanging(folder, name, script):
    """A program in a folder of its own that writes its process id to the file `begun`, and hangs."""
    folder.mkdir()
    begun = folder / "begun"
    program = folder / name
    # The file is whole once it has its name.
    program.write_text(
        f"#!/bin/sh\n{script}\necho $$ > {begun}.new; mv {begun}.new {begun}\nexec sleep 300\n"
    )
    program.chmod(0o755)
    return begun


def hanging_cockroach(tmp_path, environment):
    folder = tmp_path / "bin"
    begun = hanging(folder, "cockroach", '[ "$1" = version ] && echo v25.4.0 && exit')
    return begun, {"PATH": f"{folder}{os.pathsep}{environment['PATH']}"}


def hanging_initdb(tmp_path):
    folder = tmp_path / "postgres"
    begun = hanging(folder, "initdb", "trap '' INT TERM HUP")
    server = folder / "postgres"
    server.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.1'\n")
    server.chmod(0o755)
    # Another user runs them where root does.
    for path in [tmp_path, *list(tmp_path.parents)[:2]]:
        path.chmod(0o755)
    folder.chmod(0o777)
    return begun, {"KECOA_POSTGRES": str(folder)}


def wait_for(file):
    end = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < end, f"{file} was not made"
        time.sleep(0.05)
    return int(file.read_text())


def assert_gone(pid):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} still runs")


def assert_stopped(environment):
    shown = subprocess.run(
        [sys.executable, "-m", "kecoa", "local", "status"], env=environment, capture_output=True, text=True
    )
    assert (shown.returncode, shown.stdout) == (3, "stopped\n")


@pytest.mark.parametrize("command", [["local", "start"], ["demo"], ["run", "-c", "pass"], ["mongo", "start"]])
def test_a_start_that_is_given_up_leaves_nothing_behind(start, environment, tmp_path, command):
    begun, variables = hanging_initdb(tmp_path)
    process = start(*command, **variables)
    pid = wait_for(begun)
    began = time.monotonic()
    process.interrupt()
    assert_ended(process, 130)
    assert time.monotonic() - began < 30, "initdb ignores every signal, and is not waited for"
    assert_gone(pid)
    assert_stopped(environment)


def test_a_start_in_the_foreground_that_is_given_up(start, environment, tmp_path):
    begun, variables = hanging_initdb(tmp_path)
    process = start("local", "start", "--foreground", **variables)
    pid = wait_for(begun)
    process.interrupt()
    assert_ended(process, 130)
    assert_gone(pid)
    assert_stopped(environment)


def test_stop_ends_a_start_whose_command_was_killed(environment, tmp_path):
    begun, variables = hanging_initdb(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "kecoa", "local", "start"], env={**environment, **variables}
    )
    pid = wait_for(begun)
    process.kill()
    process.wait()
    began = time.monotonic()
    stopped = subprocess.run(
        [sys.executable, "-m", "kecoa", "local", "stop"], env=environment, capture_output=True, text=True
    )
    assert (stopped.returncode, stopped.stderr) == (0, "kecoa: stopped\n")
    assert time.monotonic() - began < 30
    assert_gone(pid)


def test_a_terminal_sees_the_steps_of_a_start_and_others_do_not(start, tmp_path):
    begun, variables = hanging_initdb(tmp_path)
    process = start("local", "start", **variables)
    wait_for(begun)
    if isinstance(process, Terminal):
        process.until(r"starting the local endpoint: making the data directory \(initdb\)")
    process.interrupt()
    assert_ended(process, 130)
    if not isinstance(process, Terminal):
        assert process.shown() == ""


def test_others_learn_that_it_is_starting(environment, command, tmp_path):
    begun, variables = hanging_initdb(tmp_path)
    process = InTerminal(["local", "start"], {**environment, **variables})
    wait_for(begun)
    try:
        shown = command("local", "status")
        assert (shown.returncode, shown.stdout) == (3, "starting\n")
        assert command("local", "url").returncode == 3
        for arguments in (["local", "url"], ["sql", "-c", "SELECT 1"], ["doctor"]):
            done = command(*arguments)
            assert "the local endpoint is just starting" in done.stdout + done.stderr, arguments
    finally:
        process.interrupt()
    assert_ended(process, 130)
    process.close()


@pytest.mark.parametrize("option", ["-q", "--json"])
def test_no_steps_are_shown_where_they_are_unwanted(environment, tmp_path, option):
    begun, variables = hanging_initdb(tmp_path)
    process = InTerminal(["local", "start", option], {**environment, **variables})
    wait_for(begun)
    process.interrupt()
    assert_ended(process, 130)
    assert "initdb" not in process.shown()
    process.close()


def test_the_start_of_an_endpoint_that_takes_long(start, environment, tmp_path):
    begun, variables = hanging_cockroach(tmp_path, environment)
    process = start("local", "start", "--engine", "cockroach", **variables)
    pid = wait_for(begun)
    process.interrupt()
    assert_ended(process, 130)
    assert_gone(pid)
    assert_stopped(environment)


def test_a_prompt_for_the_url(environment):
    process = InTerminal(["demo", "--url", "-"], environment)
    process.until("the URL, and Enter:")
    process.interrupt()
    assert_ended(process, 130)
    process.close()


def test_a_shell_learns_that_it_was_a_signal(silent, environment):
    # Else `while true; do kecoa demo; done` goes on after Ctrl-C.
    process = subprocess.Popen(
        [sys.executable, "-m", "kecoa", "faults", "--faults", "drop:0.0", "--to", silent.url],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT


def test_an_ignored_signal_stays_ignored(silent, environment):
    # As in the background of a script.
    process = subprocess.Popen(
        [sys.executable, "-m", "kecoa", "doctor", silent.url],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    silent.wait_for_client()
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.kill()
    process.wait()
