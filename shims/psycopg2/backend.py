"""Builds a wheel of the packages in this folder, with METADATA as it stands (PEP 517).

The same files give the same bytes: no time of today, no user, no order of the disk.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

HERE = Path.cwd()
WHEEL = "Wheel-Version: 1.0\nGenerator: kecoa\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _names() -> tuple[str, str]:
    """The distribution's name, as files have it, and its version."""
    headers = HeaderParser().parsestr((HERE / "METADATA").read_text(encoding="utf-8"))
    return headers["Name"].replace("-", "_"), headers["Version"]


def _package() -> list[str]:
    """The package's files; none of psycopg2-binary."""
    return sorted(path.relative_to(HERE).as_posix() for path in HERE.glob("psycopg2/*") if path.is_file())


def _licenses() -> list[str]:
    return sorted(path.name for path in HERE.glob("LICENSE*"))


def build_wheel(
    wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None
) -> str:
    """Write the wheel; return the file's name."""
    name, version = _names()
    information = f"{name}-{version}.dist-info"
    contents = {path: (HERE / path).read_bytes() for path in _package()}
    contents[f"{information}/METADATA"] = (HERE / "METADATA").read_bytes()
    contents[f"{information}/WHEEL"] = WHEEL.encode()
    contents |= {f"{information}/licenses/{path}": (HERE / path).read_bytes() for path in _licenses()}
    record = "".join(f"{path},sha256={_digest(data)},{len(data)}\n" for path, data in contents.items())
    contents[f"{information}/RECORD"] = f"{record}{information}/RECORD,,\n".encode()
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return wheel


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Write the source distribution; return the file's name."""
    name, version = _names()
    root = f"{name}-{version}"
    contents = {f"{root}/PKG-INFO": HERE / "METADATA"}
    for path in ("METADATA", "backend.py", "pyproject.toml", *_licenses(), *_package()):
        contents[f"{root}/{path}"] = HERE / path
    with (
        Path(sdist_directory, f"{root}.tar.gz").open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, source in contents.items():
            data = source.read_bytes()
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return f"{root}.tar.gz"
