"""Django and peewee by their backends for CockroachDB, on the local endpoint.

Their own tests find more, and take minutes: this is what they found, and what every project does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import kecoa
from tests.local.client import own_database

PROGRAMS = Path(__file__).parent / "orms"


def run(endpoint, folder, program, *python, **environment):
    with own_database(endpoint.url, kecoa.connect) as url:
        done = subprocess.run(
            [sys.executable, *python, str(PROGRAMS / program)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={**os.environ, "DATABASE_URL": url, **environment},
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


def test_django_by_kecoa(endpoint, tmp_path):
    run(endpoint, tmp_path, "with_django.py", "-m", "kecoa", "run", DRIVER="psycopg2")


def test_django_by_psycopg(endpoint, tmp_path):
    run(endpoint, tmp_path, "with_django.py", DRIVER="psycopg")


def test_peewee(endpoint, tmp_path):
    run(endpoint, tmp_path, "with_peewee.py", "-m", "kecoa", "run")
