"""tools/clean_wheel.py: two builds of one commit, in two folders at two times, become the same wheel."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from clean_wheel import Leak, clean

SBOM = "kecoa-0.1.0.dist-info/sboms/kecoa-py.cyclonedx.json"
RECORD = "kecoa-0.1.0.dist-info/RECORD"
SECONDS = 1_764_547_200  # 2025-12-01


def built(folder: Path, sources: str, time: str, module: bytes = b"\x7fELF") -> Path:
    """Write a wheel as maturin does, built from the folder `sources`."""
    wheel = folder / "kecoa-0.1.0-cp311-cp311-manylinux2014_x86_64.whl"
    folder.mkdir(exist_ok=True)
    listed = {
        "bomFormat": "CycloneDX",
        "serialNumber": f"urn:uuid:{time}",
        "metadata": {
            "timestamp": time,
            "component": {"bom-ref": f"path+file://{sources}/python#kecoa-py@0.1.0"},
        },
        "components": [{"bom-ref": f"path+file://{sources}/crates/kecoa#0.1.0", "name": "kecoa"}],
    }
    contents = {
        "kecoa/_kecoa.so": module,
        "kecoa/__init__.py": b"",
        SBOM: json.dumps(listed).encode(),
        RECORD: b"as it was\n",
    }
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, data)
    return wheel


def test_two_builds_become_the_same(tmp_path: Path) -> None:
    one = built(tmp_path / "one", "/home/ana/kecoa", "2026-01-01T00:00:00Z")
    other = built(tmp_path / "other", "/builds/7/src", "2026-02-02T00:00:00Z")
    assert one.read_bytes() != other.read_bytes()
    clean(one, {Path("/home/ana/kecoa"): "kecoa"}, SECONDS)
    clean(other, {Path("/builds/7/src"): "kecoa"}, SECONDS)
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        listed = json.loads(archive.read(SBOM))
        assert listed["components"] == [{"bom-ref": "path+file:///kecoa/crates/kecoa#0.1.0", "name": "kecoa"}]
        assert listed["metadata"]["timestamp"] == "2025-12-01T00:00:00Z"
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100755}
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}


def test_the_record_fits(tmp_path: Path) -> None:
    wheel = built(tmp_path, "/home/ana/kecoa", "2026-01-01T00:00:00Z")
    clean(wheel, {Path("/home/ana/kecoa"): "kecoa"}, SECONDS)
    with zipfile.ZipFile(wheel) as archive:
        rows = list(csv.reader(archive.read(RECORD).decode().splitlines()))
        assert [name for name, _, _ in rows] == archive.namelist()
        for name, digest, size in rows:
            if name == RECORD:
                assert (digest, size) == ("", "")
                continue
            data = archive.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={expected}", str(len(data)))


def test_a_path_in_the_extension_is_found(tmp_path: Path) -> None:
    module = b"\x7fELF panicked at /home/ana/.cargo/registry/src/memchr-2.8.3/src/lib.rs"
    wheel = built(tmp_path, "/home/ana/kecoa", "2026-01-01T00:00:00Z", module)
    before = wheel.read_bytes()
    registry = Path("/home/ana/.cargo/registry/src")
    with pytest.raises(Leak, match=r"kecoa/_kecoa.so in kecoa-0.1.0.*has the path /home/ana/.cargo"):
        clean(wheel, {Path("/home/ana/kecoa"): "kecoa", registry: "registry"}, SECONDS)
    assert wheel.read_bytes() == before
