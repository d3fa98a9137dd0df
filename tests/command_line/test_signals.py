"""Ctrl-C ends every command at once, with 130 and without a traceback; SIGTERM with 143."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

import kecoa

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


def test_the_start_of_an_endpoint_that_takes_long(start, environment, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    begun = tmp_path / "begun"
    program = folder / "cockroach"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && echo v25.4.0 && exit\necho $$ >> {begun}\nexec sleep 300\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    process = start(
        "local", "start", "--engine", "cockroach", PATH=f"{folder}{os.pathsep}{environment['PATH']}"
    )
    end = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.interrupt()
    assert_ended(process, 130)
    for pid in begun.read_text().split():
        os.kill(int(pid), signal.SIGKILL)
    subprocess.run([sys.executable, "-m", "kecoa", "local", "stop"], env=environment, check=True)


def test_a_prompt_for_the_url(environment):
    from .conftest import InTerminal

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
