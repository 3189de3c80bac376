"""How the command ends: exit codes, errors in a line with our message first, and text that moves no cursor."""

import json
import os
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.cli import cli
from xai_assets.cli_main import Group, work_began
from xai_assets.cli_say import json_text
from xai_assets.error_text import cause_in_short, of_exception, system_error, with_cause
from xai_assets.errors import XaiError

TORCH = (
    "Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` argument in "
    "`torch.load` from `False` to `True`. Re-running `torch.load` with `weights_only` set to `False` will likely "
    "succeed, but it can result in arbitrary code execution. Do it only if you got the file from a trusted source.\n"
    "Please file an issue with the following so that we can make `weights_only=True` compatible with your use case: "
    "WeightsUnpickler error: Unsupported global: GLOBAL posix.system"
)


def xai(*arguments, data, **more):
    environment = os.environ | {"XAI_DATA": str(data), "DAGSTER_HOME": "", "XAI_DEVICE": "cpu"} | more
    return subprocess.run(
        [sys.executable, "-m", "xai_assets", *arguments], env=environment, capture_output=True, text=True
    )


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("XAI_BROKER", raising=False)
    return lambda *arguments: CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nosuch"),
        ("run", "demo", "--only", "nosuch"),
        ("check", "nosuch"),
        ("worker", "--queue", "gpu"),
        ("sql", "SELECT 1"),
        ("lime", "import", "/nosuch.pkl"),
        ("lime", "tune", "nosuch"),
        ("lime", "grade", "nosuch", "--masks", "/nosuch"),
        ("concepts", "import", "/nosuch.csv", "--study", "s", "--model", "m"),
        ("concepts", "summary", "--study", "nosuch"),
        ("concepts", "compare", "a:b", "/nosuch.csv"),
        ("nosuch",),
        ("run", "demo", "--executor", "nosuch"),
    ],
)
def test_what_is_wrong_before_anything_ran_ends_with_2_and_a_line(invoke, arguments):
    ended = invoke(*arguments)
    assert ended.exit_code == 2, ended.output
    assert ended.output.strip()
    assert "Traceback" not in ended.output


def test_a_wrong_setting_ends_every_command_with_2(invoke, monkeypatch):
    monkeypatch.setenv("XAI_DEVICE", "tpu")
    for arguments in (
        ("studies",),
        ("reports",),
        ("run", "demo"),
        ("prune",),
        ("doctor",),
        ("check", "demo"),
    ):
        ended = invoke(*arguments)
        assert ended.exit_code == 2, arguments
        assert "XAI_DEVICE is 'tpu'" in ended.output and "auto, cpu or cuda" in ended.output


def ends(error, *, began=False):
    @click.command()
    def fails():
        if began:
            work_began()
        raise error

    group = Group("xai")
    group.add_command(fails)
    return CliRunner().invoke(group, ["fails"])


def test_our_message_comes_first_and_torchs_advice_never(tmp_path):
    error = XaiError("model.pth", "it holds code", "Save it as safetensors.")
    error.__cause__ = ValueError(TORCH)
    ended = ends(error)
    assert ended.exit_code == 2
    assert ended.output.startswith("model.pth: it holds code. Save it as safetensors.")
    assert "will likely succeed" not in ended.output and "trusted source" not in ended.output
    assert ends(error, began=True).exit_code == 1


def test_an_error_of_the_system_gets_a_remedy_and_a_bug_gets_a_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    full = ends(OSError(28, "No space left on device", "/data/x"))
    assert (full.exit_code, full.output.startswith("/data/x: the disk is full. Make room")) == (2, True)
    bug = ends(KeyError("\x1b[2J"))
    assert bug.exit_code == 1 and "Traceback" not in bug.output and "\x1b" not in bug.output
    (written,) = (tmp_path / "errors").iterdir()
    assert str(written) in bug.output and "KeyError" in written.read_text(encoding="utf-8")
    monkeypatch.setenv("XAI_DEBUG", "1")
    assert "Traceback" in ends(KeyError("x")).stderr


def test_ctrl_c_outside_a_run_ends_with_130_without_a_traceback():
    ended = ends(KeyboardInterrupt())
    assert ended.exit_code == 130 and "Traceback" not in ended.output


@given(st.text())
def test_a_cause_is_one_short_line_that_advises_nothing_unsafe(said):
    short = cause_in_short(said + " " + TORCH)
    assert len(short) < 2000 and "\n" not in short and "will likely succeed" not in short
    assert with_cause("message", said).startswith("message")


def test_a_cause_that_our_message_has_already_is_not_said_again(tmp_path):
    error = XaiError("x.csv", "cannot be read (no column named a)", "Add it.")
    error.__cause__ = ValueError("a byte is missing")
    assert of_exception(error, tmp_path).endswith("Add it. (Cause: ValueError: a byte is missing)")
    error.__cause__ = ValueError("no column named a")
    assert "Cause" not in of_exception(error, tmp_path)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("OSError: [Errno 28] No space left on device: '/a/b'", "the disk is full"),
        ("OperationalError: (sqlite3.OperationalError) database or disk is full", "the disk is full"),
        ("SafetensorError: Error while serializing: IoError: No space left on device", "the disk is full"),
        ("OSError: [Errno 122] Disk quota exceeded", "the disk is full"),
        ("OSError: [Errno 30] Read-only file system: '/a/b'", "read-only"),
        ("PermissionError: [Errno 13] Permission denied: '/a/b'", "permission denied"),
        ("OSError: [Errno 24] Too many open files", "too many files"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "memory is not enough"),
    ],
)
def test_errors_of_the_system_are_known_by_their_words(said, why, tmp_path):
    found = system_error(said, tmp_path)
    assert why in found.why and found.remedy
    assert found.what == ("/a/b" if "/a/b" in said else str(tmp_path))
    assert system_error("ValueError: disk-shaped input", tmp_path) is None


HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\x07e\nf"


def test_names_and_titles_reach_the_terminal_as_text(invoke, tmp_path):
    folder = tmp_path / "data" / "studies"
    folder.mkdir(parents=True)
    (folder / "odd\x1b[31m.yaml").write_text('title: "a\\e[2Jb"\n', encoding="utf-8")
    reports = tmp_path / "data" / "reports" / "od\x1b[31md"
    reports.mkdir(parents=True)
    (reports / "x.pdf").touch()
    for arguments in (
        ("studies",), ("reports",), ("run", HOSTILE), ("check", HOSTILE), ("run", "odd\x1b[31m"), (HOSTILE,),
        ("run", "demo", "--only", HOSTILE), ("concepts", "summary", "--study", HOSTILE), ("reports", HOSTILE),
        ("lime", "import", HOSTILE), ("concepts", "compare", HOSTILE, HOSTILE), ("prune", "--days", HOSTILE),
        ("studies", "--json"), ("reports", "--json"),
    ):  # fmt: skip
        ended = invoke(*arguments)
        assert not set("\x1b\x9b\u202e\x07") & set(ended.output), (arguments, ended.output)


def test_json_keeps_every_character_and_shows_none_to_the_terminal():
    text = json_text({"name": HOSTILE + "\udcff"})
    assert json.loads(text) == {"name": HOSTILE + "\udcff"}
    assert not set("\x1b\x9b\u202e\x07") & set(text)
    text.encode("utf-8")
    with pytest.raises(ValueError, match="JSON"):
        json_text(float("nan"))


def test_helps_keep_their_examples_on_lines_of_their_own_and_no_summary_is_cut(invoke):
    def helps(command, path):
        yield path, invoke(*path, "--help").output
        for name, below in getattr(command, "commands", {}).items():
            yield from helps(below, (*path, name))

    for path, text in helps(cli, ()):
        assert "\\b" not in text and "..." not in text.partition("Commands:")[2], path
    (line,) = [line for line in invoke("sql", "--help").output.splitlines() if "FROM unit_concepts" in line]
    assert line.strip().startswith("xai sql")


def test_a_reader_that_goes_away_ends_the_command_without_a_word(tmp_path):
    command = f"{sys.executable} -m xai_assets studies --json | true"
    ended = subprocess.run(
        command, shell=True, env=os.environ | {"XAI_DATA": str(tmp_path)}, capture_output=True, text=True
    )
    assert ended.stderr == ""
