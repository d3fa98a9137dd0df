#!/usr/bin/env python3
"""Build what a release consists of: wheels for Linux, the source distribution, and the shims.

usage: build_wheels.py [--platform NAME ...] [--python 3.N ...] [--quick] [--only wheels|sources] [--out DIR]

Run by `make wheels`, in .venv-wheels. Wheels and the source distribution go to target/wheels, the shims'
distributions to target/shims: those are not for an index, where the names are psycopg2's. Each folder gets a
SHA256SUMS.

One version of Python is one wheel: the extension uses parts of CPython's interface that the stable one (abi3)
lacks. zig links against the C libraries of manylinux2014 and musllinux_1_2, and auditwheel checks that
nothing newer is asked for. The same commit gives the same bytes with the same compilers: no paths of this
machine and no time of today are in them.

--quick builds with little optimisation, to try a platform; such wheels are not for others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from clean_wheel import Leak, clean

ROOT = Path(__file__).resolve().parent.parent
SHIMS = ("psycopg2", "psycopg2-binary")
# The first second that a zip archive can name, for sources without a commit.
FIRST_SECOND = "315532800"
QUICK = [
    "--profile",
    "quick",
    "--config",
    'profile.quick.inherits="release"',
    "--config",
    "profile.quick.opt-level=1",
    "--config",
    "profile.quick.lto=false",
    "--config",
    "profile.quick.codegen-units=16",
]


class BuildError(Exception):
    """Something is missing, or a wheel is not what it should be; says what."""


@dataclass(frozen=True)
class Platform:
    """Where a wheel runs: Rust's name of the target, and the wheels' name of the C library."""

    target: str
    tag: str

    @property
    def architecture(self) -> str:
        return self.target.partition("-")[0]


PLATFORMS = {
    "manylinux-x86_64": Platform("x86_64-unknown-linux-gnu", "manylinux2014"),
    "manylinux-aarch64": Platform("aarch64-unknown-linux-gnu", "manylinux2014"),
    "musllinux-x86_64": Platform("x86_64-unknown-linux-musl", "musllinux_1_2"),
    "musllinux-aarch64": Platform("aarch64-unknown-linux-musl", "musllinux_1_2"),
}


def supported_pythons() -> list[str]:
    """Return the versions that pyproject.toml names."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', text)


def run(*command: object, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a command; return what it prints, raise when it fails."""
    arguments = [str(part) for part in command]
    done = subprocess.run(arguments, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{arguments[0]} failed with status {done.returncode}: {' '.join(arguments)}")
    return done.stdout


def tool(name: str) -> str:
    """Return the path of a program that requirements-wheels.txt installs."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        raise BuildError(f"expected {name} beside {sys.executable}, found none: `make wheels` installs it")
    return found


def folders() -> dict[Path, str]:
    """Return the folders of this machine that compilers see, and what stands for them in what they write."""
    cargo_home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    return {ROOT: "kecoa", cargo_home / "registry/src": "registry"}


def environment() -> dict[str, str]:
    """Return an environment in which the same sources become the same bytes."""
    made = {**os.environ, "CARGO_INCREMENTAL": "0"}
    # zig is looked for on PATH.
    made["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{made['PATH']}"
    flags = [f"--remap-path-prefix={folder}={name}" for folder, name in folders().items()]
    # Encoded, because folders may have blanks in their names.
    made["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join([*made.pop("RUSTFLAGS", "").split(), *flags])
    if "SOURCE_DATE_EPOCH" not in made:
        committed = (ROOT / ".git").exists()
        made["SOURCE_DATE_EPOCH"] = (
            run("git", "log", "-1", "--format=%ct").strip() if committed else FIRST_SECOND
        )
    return made


def check_target(platform: Platform) -> None:
    """Raise unless rustc has the target's standard library."""
    libraries = Path(run("rustc", "--print", "sysroot").strip()) / "lib/rustlib"
    if not (libraries / platform.target).exists():
        raise BuildError(
            f"expected Rust's standard library for {platform.target}, found none in {libraries}: "
            f"`rustup target add {platform.target}` installs it"
        )


def build_wheels(platform: Platform, pythons: list[str], quick: bool, out: Path) -> list[Path]:
    """Build a wheel for each version of Python; return them."""
    check_target(platform)
    variables = environment()
    run(
        tool("maturin"),
        "build",
        "--locked",
        *(QUICK if quick else ["--release"]),
        *("--target", platform.target, "--zig", "--compatibility", platform.tag),
        *("--out", out),
        *("--interpreter", *(f"python{python}" for python in pythons)),
        env=variables,
    )
    made = []
    for python in pythons:
        number = f"cp{python.replace('.', '')}"
        (wheel,) = out.glob(f"kecoa-*-{number}-{number}-*{platform.tag}*{platform.architecture}.whl")
        clean(wheel, folders(), int(variables["SOURCE_DATE_EPOCH"]))
        check_libraries(wheel, platform)
        made.append(wheel)
    return made


def check_libraries(wheel: Path, platform: Platform) -> None:
    """Raise if the wheel asks for a newer C library than its name says, or for another library."""
    report = json.loads(run(tool("auditwheel"), "show", "--json", wheel))
    allowed, needed = (version(tag) for tag in (platform.tag, report["overall_tag"]))
    if needed > allowed:
        raise BuildError(f"{wheel.name} needs {report['overall_tag']}, newer than {platform.tag}")


def version(tag: str) -> tuple[int, ...]:
    """Return the C library's version in a tag: (2, 17) of manylinux2014 and of manylinux_2_17_x86_64."""
    if tag.startswith("manylinux2014"):
        return (2, 17)
    found = re.match(r"(?:many|musl)linux_(\d+)_(\d+)", tag)
    if found is None:
        raise BuildError(f"expected a tag of manylinux or musllinux, found {tag}")
    return tuple(map(int, found.groups()))


def build_source(out: Path) -> Path:
    """Build the source distribution; return it."""
    run(tool("maturin"), "sdist", "--out", out, env=environment())
    (made,) = out.glob("kecoa-*.tar.gz")
    return made


def build_shims(out: Path) -> list[Path]:
    """Build the shims' wheels and source distributions, which their own backend does; return them."""
    calls = f"import backend; backend.build_wheel({str(out)!r}); backend.build_sdist({str(out)!r})"
    for name in SHIMS:
        run(sys.executable, "-c", calls, cwd=ROOT / "shims" / name)
    return sorted(out.glob("psycopg2*"))


def empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def finish(folder: Path) -> None:
    """Write SHA256SUMS, and say what is there."""
    lines = []
    for path in sorted(folder.iterdir()):
        lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
        print(f"{path.stat().st_size / 1e6:6.2f} MB  {path}")
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Build wheels for Linux, the source distribution and the shims."
    )
    parser.add_argument("--platform", action="append", choices=PLATFORMS, help="one of them (default: all)")
    parser.add_argument(
        "--python", action="append", choices=supported_pythons(), help="a version (default: all)"
    )
    parser.add_argument("--quick", action="store_true", help="little optimisation, to try a platform")
    parser.add_argument("--only", choices=["wheels", "sources"], help="build a part")
    parser.add_argument("--out", type=Path, default=ROOT / "target", help="the folder of wheels and shims")
    arguments = parser.parse_args()
    wheels = empty(arguments.out.resolve() / "wheels")
    try:
        if arguments.only != "wheels":
            build_source(wheels)
            shims = empty(wheels.parent / "shims")
            build_shims(shims)
            finish(shims)
        if arguments.only != "sources":
            for name in arguments.platform or PLATFORMS:
                build_wheels(
                    PLATFORMS[name], arguments.python or supported_pythons(), arguments.quick, wheels
                )
        finish(wheels)
    except (BuildError, Leak) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
