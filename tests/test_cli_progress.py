"""Progress on a terminal, under a pty, while descriptor 2 is pointed elsewhere as Dagster does; and in a log."""

import subprocess
import sys
import time

import pytest
from rich.text import Text

from tests.conftest import CHECKOUT
from tests.terminal import Program
from xai_assets import cli_progress
from xai_assets.cli_progress import Steps, Work, in_words
from xai_assets.cli_screen import Screen

RUN = """
import os, sys, time
from xai_assets.cli_progress import Steps
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
print("before", file=sys.stderr)
with Steps(3, {"first": 5.0, "second_of_them": 9.0, "third": 1.0}) as steps:
    steps.begin("first")
    kept = os.dup(2)
    os.dup2(log, 2)  # as Dagster does while a step runs
    print("a library's warning", file=sys.stderr)
    steps.end("first")
    advance = steps.watch("second_of_them")
    for done in range(4):
        advance(done, 4)
        time.sleep(0.3)
    steps.say("a name \\x1b[2J\\x9b of a file")
    os.dup2(kept, 2)
    steps.end("second_of_them")
    steps.begin("third")
    steps.end("third", "failed")
print("after")
"""


@pytest.mark.parametrize("columns", [100, 50, 30])
def test_bars_are_drawn_and_erased_though_descriptor_2_is_redirected(tmp_path, columns):
    program = Program([sys.executable, "-c", RUN, str(tmp_path / "log")], columns=columns)
    try:
        program.read()
    finally:
        program.close()
    shown = [line.rstrip() for line in program.screen.lines if line.strip()]
    assert shown[0] == "before" and shown[-1] == "after"
    ended = [line.split()[:2] for line in shown if "/3" in line]
    assert ended == [["1/3", "first"], ["2/3", "second_of_them"]]
    assert r"\x1b[2J\x9b" in "".join(shown) and "failed" in "".join(shown)
    assert "━" not in "".join(shown) and "assets" not in "".join(shown)  # all that changes is gone
    during = [lines for lines in program.seen if any("second_of_them" in line for line in lines)]
    assert any("2/4" in line for lines in during for line in lines)
    assert all(sum(line.startswith("assets") for line in lines) <= 1 for lines in program.seen)
    assert all(len(line) < columns for lines in program.seen for line in lines if "assets" in line)
    assert (tmp_path / "log").read_text() == "a library's warning\n"
    if columns > 30:
        assert any("9 s" in line or "10 s" in line for lines in program.seen for line in lines)  # about, left


def test_a_terminal_that_has_grown_narrower_has_its_wrapped_rows_erased():
    screen = Screen(lambda width: [Text("x" * 90), Text("last")], lambda: None)
    screen._shown = [90, 4]
    screen.__class__ = type("Narrow", (Screen,), {"width": property(lambda self: 40)})
    assert screen._erased() == "\r\x1b[3A\x1b[J"
    assert screen._erased() == ""


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {}])
def test_without_a_terminal_a_line_says_what_begins_and_what_has_ended(tmp_path, environment):
    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "log")], capture_output=True, text=True, cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(CHECKOUT), **environment},
    )  # fmt: skip
    lines = [line.split() for line in ran.stderr.splitlines()]
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stderr and "\x9b" not in ran.stderr
    assert ["1/3", "first", "begins"] in lines and ["2/3", "second_of_them", "begins"] in lines
    assert [line[:2] for line in lines if "s" in line] == [
        ["1/3", "first"],
        ["2/3", "second_of_them"],
        ["third", "0.0"],
    ]


def test_without_a_terminal_long_steps_say_that_they_go_on(monkeypatch, capsys):
    monkeypatch.setattr(cli_progress, "SECONDS_BETWEEN_LINES", 0.0)
    steps = Steps(2, {}, lambda step: (3, 12))
    steps.begin("lime_masks")
    steps.tick()
    assert "lime_masks 3/12, 0:00" in capsys.readouterr().err


def test_the_time_left_follows_the_works_own_pace_and_else_the_time_it_took_last():
    work = Work("x", expected=50.0, started=time.monotonic() - 30.0)
    assert work.left == pytest.approx(20.0, abs=1.0)
    work.advance(3, 12)
    assert work.left == pytest.approx(90.0, rel=0.05)
    work.advance(0, 100)  # another part begins, whose pace is not known yet
    assert work.left == pytest.approx(20.0, abs=1.0)
    assert Work("x").left is None
    late = Work("x", expected=1.0, started=time.monotonic() - 30.0)
    assert late.left is None


def test_the_time_left_of_a_run_needs_to_know_of_every_step():
    steps = Steps(3, {"a": 10.0, "b": 20.0, "c": 30.0})
    steps.begin("a")
    assert steps._left() == pytest.approx(60.0, abs=1.0)
    steps.end("a")
    assert steps._left() == pytest.approx(50.0)
    assert Steps(3, {"a": 10.0})._left() is None


def test_estimates_are_rough():
    assert [in_words(seconds) for seconds in (0.2, 12, 58, 130, 7300)] == [
        "5 s",
        "10 s",
        "1 min",
        "2 min",
        "2.0 h",
    ]
