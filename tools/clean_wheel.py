"""Takes out of a wheel what depends on the machine that built it, in the wheel's list of crates.

maturin writes that list (an SBOM of CycloneDX) with the folder of the sources, a random number and the time
of the build. No two builds would have the same bytes, and each would tell where it was made.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import zipfile
from pathlib import Path


class Leak(Exception):
    """A file of a wheel has a path of this machine in it; says which."""


def clean(wheel: Path, folders: dict[Path, str], seconds: int) -> None:
    """Rewrite a wheel: names instead of `folders`, `seconds` since 1970 as the time.

    Raises Leak if a path stays in any file of the wheel: the compiler was to leave them out.
    """
    with zipfile.ZipFile(wheel) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    contents = {entry.filename: data for entry, data in entries}
    for name, data in contents.items():
        if name.endswith(".cyclonedx.json"):
            contents[name] = _cleaned(data.decode(), folders, seconds).encode()
    (record,) = (name for name in contents if name.endswith(".dist-info/RECORD"))
    contents[record] = _record(contents, record).encode()
    for name, data in contents.items():
        for folder in folders:
            if str(folder).encode() in data:
                raise Leak(f"{name} in {wheel.name} has the path {folder} in it")
    with zipfile.ZipFile(wheel, "w") as archive:
        for entry, _ in entries:
            archive.writestr(entry, contents[entry.filename])


def _cleaned(text: str, folders: dict[Path, str], seconds: int) -> str:
    for folder, name in folders.items():
        text = text.replace(str(folder), f"/{name}")
    listed = json.loads(text)
    listed.pop("serialNumber", None)
    time = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    listed["metadata"]["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps(listed, indent=2) + "\n"


def _record(contents: dict[str, bytes], record: str) -> str:
    """Return the wheel's list of files, each with its hash and its size."""
    lines = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{record},,\n" if name == record else f"{name},sha256={digest},{len(data)}\n")
    return "".join(lines)
