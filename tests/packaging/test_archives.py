"""The source archive and the wheel: what is in them, and that the wheel alone, in an empty environment, is the pool."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.request import urlopen

import pytest
from msgspec import Struct
from packaging.utils import canonicalize_name

from pool.node.loopback import free_port
from tests.packaging.locks import pins
from tests.regtest.whole_pool import eventually

ROOT = Path(__file__).parents[2]
DOCUMENTS = "share/doc/steppe/"


class Archives(Struct, frozen=True):
    """As scripts/dist has made them."""

    source: Path
    wheel: Path
    materials: Path


def run(*command: str | Path, **environment: str) -> str:
    """What a command says; fails with all that it said. Nothing of the checkout or of pip's cache of builds is seen."""
    done = subprocess.run(
        list(map(str, command)),
        env=os.environ | {"PYTHONPATH": ""} | environment,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    folder = tmp_path_factory.mktemp("dist")
    run(ROOT / "scripts" / "dist", folder)
    [source], [wheel], [materials] = folder.glob("*.tar.gz"), folder.glob("*.whl"), folder.glob("*.cdx.json")
    return Archives(source, wheel, materials)


@pytest.fixture(scope="module")
def installed(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds what requirements/run.txt says, and the wheel: made as docker/Dockerfile makes it."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
    locked = ("--no-build-isolation", "--require-hashes", "-r", ROOT / "requirements" / "run.txt")
    run(*pip, "wheel", "--wheel-dir", folder / "wheels", *locked)
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
    wheels = [*(folder / "wheels").glob("*.whl"), archives.wheel]
    run(*pip, "--python", folder / "venv" / "bin" / "python", "install", "--no-index", "--no-deps", *wheels)
    return folder / "venv"


def members(wheel: Path) -> set[str]:
    """The files of a wheel, those that go elsewhere by where they go."""
    with zipfile.ZipFile(wheel) as archive:
        return {re.sub(r"^steppe-[0-9.]+\.data/data/", "", name) for name in archive.namelist()}


class TestWheel:
    def test_it_has_what_the_program_reads_beside_its_modules(self, archives: Archives) -> None:
        page = {f"pool/dashboard/static/{file.name}" for file in (ROOT / "pool/dashboard/static").iterdir()}
        migrations = {str(path.relative_to(ROOT)) for path in (ROOT / "pool/store/migrations").rglob("*.py")}
        assert page | migrations <= members(archives.wheel)

    def test_it_has_board_rules_unit_and_documentation(self, archives: Archives) -> None:
        tracked = run("git", "-C", ROOT, "ls-files", "docs").split()
        documents = {DOCUMENTS + name for name in ["README.md", "CHANGELOG.md", *tracked]}
        others = {"grafana/steppe.json", "prometheus/alerts.yml", "systemd/steppe.service"}
        assert documents | {f"share/steppe/{name}" for name in others} <= members(archives.wheel)

    def test_it_has_no_tests_and_nothing_that_only_builds(self, archives: Archives) -> None:
        tops = {name.split("/")[0] for name in members(archives.wheel)}
        assert {top for top in tops if ".dist-info" not in top} == {"native", "payout", "pool", "share", "stratum"}
        builds = re.compile(r"frontend|node_modules|\.(c|h|pyx|pxd|mako)$|__pycache__")
        assert [name for name in members(archives.wheel) if builds.search(name)] == []

    def test_each_compiled_part_is_in_it(self, archives: Archives) -> None:
        parts = {path.stem for path in (ROOT / "native").glob("*.pyx")}
        compiled = {Path(name).name.split(".")[0] for name in members(archives.wheel) if name.endswith(".so")}
        assert compiled == parts

    def test_built_again_elsewhere_from_the_checkout_itself_it_is_the_same_to_the_byte(
        self, archives: Archives, tmp_path: Path
    ) -> None:
        run("git", "clone", "--quiet", ROOT, tmp_path / "elsewhere")
        date = run("git", "-C", ROOT, "log", "-1", "--format=%ct").strip()
        build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path)
        run(*build, tmp_path / "elsewhere", SOURCE_DATE_EPOCH=date)
        assert (tmp_path / archives.wheel.name).read_bytes() == archives.wheel.read_bytes()


class TestSourceArchive:
    def test_it_has_every_file_that_is_committed(self, archives: Archives) -> None:
        with tarfile.open(archives.source) as archive:
            held = {name.partition("/")[2] for name in archive.getnames()}
        committed = set(run("git", "-C", ROOT, "ls-tree", "-r", "--name-only", "HEAD").split())
        assert committed - held == {".ci/run", ".dockerignore", ".gitignore"}


class TestBillOfMaterials:
    def test_it_has_what_the_lock_says_each_with_its_hashes(self, archives: Archives) -> None:
        told = json.loads(archives.materials.read_text())
        assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "steppe")
        found = {
            (each["purl"], *sorted(f"sha256:{made['content']}" for made in each["externalReferences"][0]["hashes"]))
            for each in told["components"]
        }
        assert found == {(f"pkg:pypi/{pin.name}@{pin.version}", *sorted(pin.hashes)) for pin in pins("run.txt")}

    def test_it_names_no_place_of_the_machine_that_made_it(self, archives: Archives) -> None:
        text = archives.materials.read_text()
        assert [each for each in (str(ROOT), str(archives.materials.parent), "/tmp") if each in text] == []


class TestInstalled:
    def test_it_is_what_the_lock_says_and_nothing_else(self, installed: Path) -> None:
        pip = (sys.executable, "-m", "pip", "--python", installed / "bin" / "python")
        found = {tuple(line.split("==")) for line in run(*pip, "list", "--format", "freeze").split()}
        locked = {(pin.name, pin.version) for pin in pins("run.txt") if pin.applies()}
        assert {(canonicalize_name(name), version) for name, version in found} == {*locked, ("steppe", "0.1.0")}
        run(*pip, "check")

    def test_the_command_says_its_version_and_its_options(self, installed: Path) -> None:
        assert run(installed / "bin" / "steppe", "--version") == "steppe, version 0.1.0\n"
        assert "payout_address" in run(installed / "bin" / "steppe", "config", "sample")

    def test_its_hashing_is_compiled(self, installed: Path) -> None:
        say = "import native; print(native.COMPILED, native.__file__)"
        compiled, file = run(installed / "bin" / "python", "-c", say).split()
        assert compiled == "True"
        assert file.startswith(str(installed))

    def test_the_program_that_checks_a_block_is_where_the_export_says(self, installed: Path) -> None:
        say = "from pool.documents import document; print(document('verify_payout.py'))"
        verifier = run(installed / "bin" / "python", "-c", say).strip()
        assert verifier == str(installed / DOCUMENTS / "docs" / "verify_payout.py")
        assert Path(verifier).read_bytes() == (ROOT / "docs" / "verify_payout.py").read_bytes()

    def test_the_demo_pays_a_block_and_shows_the_page_as_it_was_built(self, installed: Path, tmp_path: Path) -> None:
        port = free_port()
        command = [str(installed / "bin" / "steppe"), "demo", "--chain", "regtest", "--blocks", "1"]
        ports = ["--http-port", str(port), "--stratum-port", str(free_port())]
        log = tmp_path / "demo.log"
        with log.open("wb") as out:
            demo = subprocess.Popen([*command, *ports], cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            eventually("it runs or ends", lambda: "Ctrl-C stops" in log.read_text() or demo.poll() is not None)
            assert demo.poll() is None, log.read_text()
            for name in ("app.js", "app.css"):
                with urlopen(f"http://127.0.0.1:{port}/static/{name}", timeout=60) as answer:
                    assert answer.read() == (ROOT / "pool/dashboard/static" / name).read_bytes()
            assert demo.wait(200) == 0, log.read_text()
        finally:
            demo.terminate()
            demo.wait(60)
        assert "blocks accepted, matured and credited" in log.read_text()
