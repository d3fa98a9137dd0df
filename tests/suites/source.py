"""Source distributions of the peers, downloaded by name and checked by their hash."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.suites import SuiteError

CACHE = Path(__file__).resolve().parent.parent.parent / ".cache" / "suites"


def fetch(name: str, version: str, sha256: str, programs: Mapping[str, str] | None = None) -> Path:
    """Return the unpacked source distribution of a package; SuiteError when it can't be had.

    pip asks a source distribution for its metadata before it hands it out. `programs` are shell scripts that
    this needs, by name, where the real ones may not be installed.
    """
    folder = CACHE / f"{name}-{version}"
    if folder.is_dir():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        archive = _download(name, version, Path(scratch), programs or {})
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != sha256:
            raise SuiteError(f"{archive.name}: expected SHA-256 {sha256}, found {found}")
        with tarfile.open(archive) as opened:
            opened.extractall(scratch, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
        unpacked = archive.with_name(archive.name.removesuffix(".tar.gz"))
        if not unpacked.is_dir():
            raise SuiteError(f"{archive.name}: expected a folder {unpacked.name} in it")
        unpacked.rename(folder)
    return folder


def _download(name: str, version: str, scratch: Path, programs: Mapping[str, str]) -> Path:
    shims = scratch / "bin"
    shims.mkdir()
    for program, script in programs.items():
        (shims / program).write_text(f"#!/bin/sh\n{script}\n")
        (shims / program).chmod(0o755)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"),
            *("--no-deps", "--no-binary", name, "--dest", str(scratch), f"{name}=={version}"),
        ],
        env={**os.environ, "PATH": f"{shims}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        capture_output=True,
        text=True,
        check=False,
    )
    archives = list(scratch.glob("*.tar.gz"))
    if done.returncode != 0 or len(archives) != 1:
        raise SuiteError(f"pip could not download {name} {version}:\n{done.stderr.strip()}")
    return archives[0]
