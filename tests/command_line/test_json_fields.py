"""The page of the JSON names every field that a command prints, and none besides."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import kecoa

PAGES = Path(__file__).resolve().parents[2] / "docs"
TIMEOUT = 120


def sections(language):
    """The tables of a page: for each, by its heading, the fields and when they are there."""
    text = (PAGES / language / "reference" / "json.md").read_text()
    found = {}
    for section in text.split("\n## ")[1:]:
        heading, _, body = section.partition("\n")
        rows = re.findall(r"^\| `([^`]+)` \| .*?(?:\| ([^|]*))?\|$", body, re.MULTILINE)
        found[heading] = {field: when.strip() for field, when in rows}
    return found


DOCUMENTED = sections("en")


def fields(value, name=""):
    """The names of all fields within a value, as the page writes them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list):
        if not value:
            yield f"{name}[]"
        for inner in value:
            yield from fields(inner, f"{name}[]")
    else:
        yield name


def check(heading, *values):
    """Every field is documented, one without a condition is always there, and each was seen once."""
    table = DOCUMENTED[heading]
    seen = set()
    for value in values:
        # What is below an empty list or a null is not seen.
        found = set(fields(value))
        empty = {name for name in found if any(each.startswith(f"{name}.") for each in table)}
        assert found - empty - set(table) == set(), heading
        always = {name for name, when in table.items() if not when}
        assert always - found == set(), heading
        seen |= found
    assert set(table) - seen == set(), f"{heading}: not seen"


@pytest.fixture
def printed(environment):
    """Run a command, and return what it prints: the objects of standard output, those of standard error."""

    def run(*arguments, status=0):
        done = subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert done.returncode == status, done.stderr
        said = [json.loads(line) for line in done.stderr.splitlines()]
        return json.loads(done.stdout) if done.stdout else None, said

    yield run
    for arguments in (["mongo", "stop"], ["local", "destroy", "--yes"]):
        subprocess.run(
            [sys.executable, "-m", "kecoa", *arguments], env=environment, check=False, capture_output=True
        )


def failed_start(printed, service, folder, state):
    """The status of one whose last start failed; `state` is the state file of one that ran."""
    (folder / "default" / "state.json").write_text(
        json.dumps({**json.loads(state), "phase": {"failed": "why"}})
    )
    status, _ = printed(service, "status", status=1)
    assert (status["status"], "why" in status["reason"]) == ("broken", True)
    return status


def check_facts(step, facts):
    """The facts of a step are those that the page names; it has facts for every step."""
    body = (PAGES / "en" / "reference" / "json.md").read_text().partition("Facts of each step")[2]
    row = next(row for row in body.splitlines() if row.startswith(f"| {step} |"))
    names = {name for name in re.findall(r"`([^`]+)`", row) if " " not in name}
    patterns = [re.escape(name).replace("NAME", r"[^\[\]]+") for name in names]
    for name in fields(facts):
        if facts.get(name, "") is not None or name not in ("sqlstate", "version", "cipher"):
            assert any(re.fullmatch(pattern, name) for pattern in patterns), f"{step}: {name}"


def test_both_languages_have_the_same_fields():
    english, indonesian = sections("en"), sections("id")
    assert [list(table) for table in english.values()] == [list(table) for table in indonesian.values()]
    assert all(len(table) > 0 for table in english.values())


def test_a_local_endpoint(printed, environment, tmp_path):
    stopped, _ = printed("local", "status", status=3)
    plain, remarks = printed("local", "start")
    runs, _ = printed("local", "status")
    listed, _ = printed("local", "list")
    assert [each.keys() for each in listed["instances"]] == [runs.keys()]
    assert printed("local", "list", "--names")[0] == {"names": ["default"]}
    check("`local list`", {"instances": []}, {"names": []})
    url, _ = printed("local", "url")
    assert url == {"url": plain["url"]}
    check("`local env`", printed("local", "env")[0])
    check("`local systemd`", printed("local", "systemd")[0])
    again, _ = printed("local", "reset", "--yes")
    assert again.keys() == plain.keys()

    transfer, _ = printed("demo", "--inject-retries")
    check("`demo`", transfer)
    check("`demo`", {**transfer, "failed_attempts": transfer["failed_attempts"][:1]})
    report, _ = printed("doctor", plain["url"])
    steps = [{**step, "facts": None} for step in report["steps"]]
    check("`doctor`", {**report, "steps": steps})
    for step in report["steps"]:
        check_facts(step["name"], step["facts"])

    gateway, _ = printed("mongo", "start", "--port", "0")
    gateway_state = (tmp_path / "home" / "mongo" / "default" / "state.json").read_text()
    check("`mongo start`", gateway)
    gateway_runs, _ = printed("mongo", "status")
    gateway_url, _ = printed("mongo", "url")
    check("`local url`, `mongo url`", url, gateway_url)
    gateway_stop, _ = printed("mongo", "stop")
    gateway_stopped, _ = printed("mongo", "status", status=3)
    gateway_ended = failed_start(printed, "mongo", tmp_path / "home" / "mongo", gateway_state)
    check("`mongo status`", gateway_runs, gateway_stopped, gateway_ended)
    instance = tmp_path / "home" / "instances" / "default"
    state = (instance / "state.json").read_text()

    lines = subprocess.run(
        [sys.executable, "-m", "kecoa", "local", "logs", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert lines
    check("`local logs`", *map(json.loads, lines))
    check("`local stop`, `mongo stop`", printed("local", "stop")[0], gateway_stop)
    ended = failed_start(printed, "local", instance.parent, state)
    faulty, _ = printed("local", "start", "--faults", "drop:0.0")
    check("`local start`, `local reset`", plain, faulty)
    faulty_runs, _ = printed("local", "status")
    check("`local status`", stopped, runs, faulty_runs, ended)
    printed("local", "stop")
    (instance / "mine").write_text("")
    check("`local destroy`", printed("local", "destroy", "--yes")[0])
    assert all(set(remark) == {"level", "message"} for remark in remarks)


def test_errors_and_faults(printed, environment, dsn):
    _, (said,) = printed("demo", "--url", "postgresql://maya@127.0.0.1:1/bank", status=1)
    process = subprocess.Popen(
        [sys.executable, "-m", "kecoa", "faults", "--faults", "drop:1", "--to", dsn, "--json"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    text = ""
    while "}" not in text:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        text += line
    proxy = json.loads(text)
    check("`faults`", proxy)
    with pytest.raises(kecoa.OperationalError):
        kecoa.connect(proxy["url"])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=TIMEOUT)
    faults = [each for each in map(json.loads, err.splitlines()) if each["level"] == "fault"]
    assert faults
    check("Remarks and errors", said, *faults)
