"""The distributions of `shims`: built and installed into an environment of their own, without the network."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import time
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

import kecoa

SHIMS = Path(__file__).resolve().parent.parent / "shims"
NAMES = ["psycopg2", "psycopg2-binary"]
SUBMODULES = ["errorcodes", "errors", "extensions", "extras", "pool", "sql", "tz"]


def pip(*arguments: object) -> str:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    pip("wheel", "--no-index", "--no-deps", "--wheel-dir", folder, *(SHIMS / name for name in NAMES))
    return folder


class Environment:
    """A virtual environment that has kecoa, and nothing of this one besides."""

    def __init__(self, folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.python = folder / "bin" / "python"
        self.site = next(folder.glob("lib/python*/site-packages"))
        installed = Path(kecoa.__file__).parent
        for path in (installed, *installed.parent.glob("kecoa-*.dist-info")):
            (self.site / path.name).symlink_to(path)

    def pip(self, *arguments: object) -> str:
        return pip("--python", self.python, *arguments)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [self.python, "-I", "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment into which a requirements file was installed that names psycopg2."""
    made = Environment(tmp_path_factory.mktemp("environment"))
    requirements = made.site / "requirements.txt"
    requirements.write_text("psycopg2>=2.9,<3\npsycopg2-binary==2.9.13\n")
    made.pip("install", "--no-index", "--find-links", wheels, "--requirement", requirements)
    return made


def test_requirements_are_satisfied(environment: Environment) -> None:
    assert "No broken requirements" in environment.pip("check")
    done = environment.run(
        "from importlib.metadata import version; print(version('psycopg2'), version('psycopg2-binary'))"
    )
    expected = f"{kecoa.extensions.PSYCOPG2_VERSION}+kecoa"
    assert done.stdout.split() == [expected, expected], done.stderr


@pytest.mark.parametrize(
    "form", ["import psycopg2.{0} as m", "from psycopg2 import {0} as m", "import psycopg2; m = psycopg2.{0}"]
)
@pytest.mark.parametrize("module", SUBMODULES)
def test_modules(environment: Environment, module: str, form: str) -> None:
    program = f"{form.format(module)}\nimport kecoa.{module}; print(m is kecoa.{module})"
    done = environment.run(program)
    assert done.stdout == "True\n", done.stderr


def test_a_program_runs(environment: Environment, dsn: str) -> None:
    program = """
import sys, psycopg2, psycopg2.extras
import psycopg2 as again
assert again is psycopg2 is sys.modules["psycopg2"]
conn = psycopg2.connect(sys.argv[1], cursor_factory=psycopg2.extras.DictCursor)
cur = conn.cursor()
try:
    cur.execute("SELECT nope")
except psycopg2.errors.UndefinedColumn:
    conn.rollback()
cur.execute("SELECT %s AS it", ("works",))
print(cur.fetchone()["it"], psycopg2.connect.__module__, psycopg2.__version__)
"""
    done = environment.run(program, dsn)
    assert done.stdout.startswith(f"works kecoa {kecoa.extensions.PSYCOPG2_VERSION} "), done.stderr


def test_a_program_that_spawns_others(environment: Environment, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, psycopg2\n"
        "def work(number): return psycopg2.extensions.adapt(number).getquoted()\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(work, [1, 2]))\n"
    )
    done = subprocess.run(
        [environment.python, "-I", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "[b'1', b'2']\n", done.stderr


@pytest.mark.parametrize("form", ["import psycopg2", "import psycopg2.extras", "from psycopg2 import sql"])
def test_the_real_one_beside_it_is_refused(wheels: Path, tmp_path: Path, form: str) -> None:
    made = Environment(tmp_path / "environment")
    made.pip("install", "--no-index", "--find-links", wheels, "psycopg2")
    # What the real one's wheel leaves when ours is installed over it.
    (made.site / "psycopg2" / "_psycopg.cpython-311-x86_64-linux-gnu.so").write_bytes(b"")
    done = made.run(form)
    assert done.returncode == 1
    assert "ImportError: expected kecoa's psycopg2 alone in" in done.stderr
    assert "pip uninstall psycopg2 psycopg2-binary" in done.stderr


def test_uninstalling_leaves_nothing(wheels: Path, tmp_path: Path) -> None:
    made = Environment(tmp_path / "environment")
    before = {path.name for path in made.site.iterdir()}
    made.pip("install", "--no-index", "--find-links", wheels, "psycopg2-binary")
    assert made.run("import psycopg2").returncode == 0
    made.pip("uninstall", "--yes", *NAMES)
    assert {path.name for path in made.site.iterdir()} == before


def test_a_source_distribution_builds_the_same_wheel(wheels: Path, tmp_path: Path) -> None:
    for name in NAMES:
        build = "import backend, sys; print(backend.build_sdist(sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", build, tmp_path],
            cwd=SHIMS / name,
            capture_output=True,
            text=True,
            check=True,
        )
        pip("wheel", "--no-index", "--no-deps", "--wheel-dir", tmp_path, tmp_path / done.stdout.strip())
    for wheel in sorted(wheels.iterdir()):
        with zipfile.ZipFile(wheel) as ours, zipfile.ZipFile(tmp_path / wheel.name) as again:
            assert ours.namelist() == again.namelist()
            assert all(ours.read(path) == again.read(path) for path in ours.namelist())


def built(target: str, name: str, folder: Path) -> bytes:
    """Return a distribution's bytes; `target` is the wheel or the source distribution."""
    build = f"import backend, sys; print(backend.build_{target}(sys.argv[1]))"
    command = [sys.executable, "-c", build, folder]
    done = subprocess.run(command, cwd=SHIMS / name, capture_output=True, text=True, check=True)
    return (folder / done.stdout.strip()).read_bytes()


@pytest.mark.parametrize("target", ["wheel", "sdist"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_files_give_the_same_bytes(name: str, target: str, tmp_path: Path) -> None:
    first = built(target, name, tmp_path)
    time.sleep(2.1)  # A zip archive's clock has two seconds a step.
    (SHIMS / name / "METADATA").touch()
    assert built(target, name, tmp_path) == first


@pytest.mark.parametrize("name", NAMES)
def test_licenses_are_part_of_both(name: str, tmp_path: Path) -> None:
    licenses = {path.name: path.read_bytes() for path in SHIMS.parent.glob("LICENSE*")}
    assert len(licenses) == 3
    with zipfile.ZipFile(io.BytesIO(built("wheel", name, tmp_path))) as wheel:
        (metadata,) = (path for path in wheel.namelist() if path.endswith(".dist-info/METADATA"))
        named = HeaderParser().parsestr(wheel.read(metadata).decode()).get_all("License-File")
        assert named == sorted(licenses)
        folder = metadata.removesuffix("METADATA") + "licenses"
        assert {name: wheel.read(f"{folder}/{name}") for name in named} == licenses
    with tarfile.open(fileobj=io.BytesIO(built("sdist", name, tmp_path))) as source:
        root = source.getnames()[0].partition("/")[0]
        for license_name, text in licenses.items():
            entry = source.extractfile(f"{root}/{license_name}")
            assert entry is not None
            assert entry.read() == text


def test_type_checkers_see_kecoa(environment: Environment, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import psycopg2\nimport psycopg2.extras\nfrom psycopg2 import errors, sql\n"
        "conn = psycopg2.connect('')\n"
        "reveal_type(conn.cursor(cursor_factory=psycopg2.extras.DictCursor).fetchone())\n"
        "reveal_type(errors.UniqueViolation)\nreveal_type(sql.SQL('x'))\n"
    )
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache"),
            *("--python-executable", environment.python, program),
        ],
        capture_output=True,
        text=True,
        # Not beside pyproject.toml, which leads to the shims' own folder.
        cwd=tmp_path,
        check=False,
    )
    assert 'Revealed type is "kecoa._driver.rows.DictRow | None"' in checked.stdout, checked.stdout
    assert checked.returncode == 0, checked.stdout
