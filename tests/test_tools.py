"""Set-up and audit, with programs of the system that answer as a bare, full or offline machine does."""

import os
import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT

PACKAGES = "python3-venv libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


@pytest.fixture
def machine(tmp_path):
    """Puts programs before those of the system, and runs a script of tools/ with them."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def program(name, text):
        (folder / name).write_text("#!/bin/bash\n" + text, encoding="utf-8")
        (folder / name).chmod(0o755)

    def run(script, venv="venv", **more):
        environment = {
            "PATH": f"{folder}:/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XAI_NO_APT": "1", **more,
        }  # fmt: skip
        command = ["bash", str(CHECKOUT / "tools" / script), str(tmp_path / venv)]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL
        )

    for name in ("python3.13", "python3.12", "python3.11"):
        program(name, f'echo "pyenv: {name}: command not found" >&2; exit 127\n')
    program("python3", f'exec {sys.executable} "$@"\n')
    program("df", "printf 'Filesystem\\nx 1 1 %s 1%% /\\n' \"${FREE_KIB:-99999999}\"\n")
    run.program = program
    return run


def test_all_that_the_system_lacks_is_said_at_once_before_anything_is_downloaded(machine, tmp_path):
    machine.program(
        "python3",
        f'case "$*" in *ensurepip*|"- pango"*|"- harfbuzz"*) exit 1;; esac\nexec {sys.executable} "$@"\n',
    )
    machine.program("curl", "exit 1\n")
    ran = machine("setup.sh")
    assert ran.returncode == 1
    (line,) = [line for line in ran.stderr.splitlines() if "sudo apt-get install" in line]
    expected = PACKAGES
    if not os.path.exists("/usr/bin/python3"):
        expected = PACKAGES.replace("python3-venv", f"python3.{sys.version_info[1]}-venv")
    assert set(line.split()) - set(expected.split()) <= {
        "sudo", "apt-get", "install", "-y", f"python3.{sys.version_info[1]}-venv",
    }  # fmt: skip
    for reason in ("venv", "Pango", "HarfBuzz"):
        assert f"- {reason}" in ran.stderr or f"Python's {reason}" in ran.stderr
    assert "pyenv" not in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_a_full_disk_is_said_before_the_download(machine, tmp_path):
    ran = machine("setup.sh", FREE_KIB=str(3 << 20))
    assert ran.returncode == 1
    assert "about 7.2 GB" in ran.stderr and "3 GiB are free" in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_without_python_it_says_which_are_fit(machine):
    machine.program("python3", '[ "$1" = --version ] && echo "Python 3.10.1" || exit 1\n')
    ran = machine("setup.sh")
    assert ran.returncode == 1
    assert "Python 3.11, 3.12 or 3.13 is needed; found: Python 3.10.1." in ran.stderr


def test_without_a_network_it_says_so(machine, tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    python = tmp_path / "venv" / "bin" / "python"
    python.write_text(
        '#!/bin/bash\n[ "$2" = pip ] && { echo "No matching distribution found for uv" >&2; exit 1; }; exit 0\n'
    )
    python.chmod(0o755)
    ran = machine("setup.sh")
    assert ran.returncode == 1
    assert "No matching distribution" in ran.stderr and "Is there a network?" in ran.stderr
    assert "HTTPS_PROXY" in ran.stderr


def test_uv_is_pinned_with_hashes():
    text = (CHECKOUT / "tools" / "uv.txt").read_text(encoding="utf-8")
    assert text.count("\nuv==") == 1 and text.count("--hash=sha256:") > 10
    assert "--require-hashes" in (CHECKOUT / "tools" / "setup.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("said", "ends", "code"),
    [
        ("No known vulnerabilities found", 0, 0),
        ("Found 2 known vulnerabilities in 1 package\npillow 11.3 CVE-2026-42308", 1, 1),
        ("jinja2 Dependency not found on PyPI and could not be audited: jinja2 (3.1.6)", 0, 2),
        ("ConnectionError: pypi.org", 1, 2),
    ],
)
def test_an_audit_that_could_not_ask_is_no_clean_bill(machine, tmp_path, said, ends, code):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    uv = tmp_path / "venv" / "bin" / "uv"
    uv.write_text(f'#!/bin/bash\ncase "$*" in *--requirement*) echo "{said}"; exit {ends};; esac\n')
    uv.chmod(0o755)
    ran = machine("audit.sh")
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert ("Not audited" in ran.stderr) == (code == 2)
    assert said.splitlines()[0] in ran.stdout


def test_the_lock_is_what_pyproject_asks_for():
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = {
        package["name"]: package["version"]
        for package in tomllib.loads((CHECKOUT / "uv.lock").read_text(encoding="utf-8"))["package"]
    }
    for name, floor in {
        "torch": (2, 10),
        "pillow": (12, 2),
        "weasyprint": (68,),
        "jinja2": (3, 1, 6),
    }.items():
        (asked,) = [line for line in project["dependencies"] if line.startswith(f"{name}>=")]
        assert tuple(map(int, asked.split(">=")[1].split(","[0])[0].split("."))) >= floor
        assert tuple(int(part) for part in locked[name].split(".")[: len(floor)]) >= floor
