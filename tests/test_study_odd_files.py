"""A study's file may be anything: what is no plain study is one error with its line, and costs little."""

import json
import os
import socket
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xai_assets.cli import cli
from xai_assets.settings import Settings
from xai_assets.study_file import MAX_BYTES, StudyError, find_study, read_study, runnable_study, study_from
from xai_assets.study_folder import odd_files, study_paths
from xai_assets.study_yaml import MAX_PROBLEMS, parse, plain_value
from xai_assets.text import printable

ODD = Path("/studies/odd.yaml")
GOOD = """\
title: "T"
attribution: {model: diorama/object, images: {folder: x}, methods: {gradcam: {}}}
"""
LIME = GOOD.replace("gradcam: {}", "lime: {PART}")

NOT_READ = {
    "list as a key": (GOOD + "? [a, b]\n: 1\n", ":3: ", "write text"),
    "mapping as a key": (GOOD + "? {a: b}\n: 1\n", ":3: ", "write text"),
    "null as a key": (GOOD + "~: 1\n", ":3: ", "no name"),
    "merge key": (GOOD + "<<: {seed: 1}\n", ":3: ", "merge keys"),
    "template": (GOOD.replace("diorama/object", "{{ model }}"), ":2: attribution.model: ", "template"),
    "template's block": ("{% if x %}\n" + GOOD, ":1: ", "template"),
    "impossible date as a number": (GOOD + "seed: 2024-02-31\n", ":3: seed: ", "whole number"),
    "time": (GOOD + "seed: 99:99\n", ":3: seed: ", "whole number"),
    "sexagesimal": (GOOD + "seed: 1:2:3\n", ":3: seed: ", "whole number"),
    "sexagesimal float": (LIME.replace("PART", "kernel_width: '1:1:1.5'"), "kernel_width: ", "no number"),
    "octal": (GOOD + "seed: 017\n", ":3: seed: ", "leading 0"),
    "5,000 digits": (GOOD + f"seed: {'9' * 5000}\n", ":3: seed: ", "at most 18 digits"),
    "infinity": (LIME.replace("PART", "kernel_width: .inf"), "kernel_width: ", "no number"),
    "not a number": (LIME.replace("PART", "kernel_width: .nan"), "kernel_width: ", "no number"),
    "overflow": (LIME.replace("PART", "kernel_width: 1e999"), "kernel_width: ", "no number"),
    "overflow as text": (LIME.replace("PART", 'kernel_width: "1e999"'), "kernel_width: ", "no number"),
    "yes": (LIME.replace("PART", "positive_only: yes"), "positive_only: ", "true"),
    "true as a number": (GOOD + "seed: true\n", ":3: seed: ", "whole number"),
    "!!set": (GOOD + "description: !!set {a, b}\n", ":3: description: ", "!!set"),
    "!!omap": (GOOD + "description: !!omap [a: 1]\n", ":3: description: ", "!!omap"),
    "!!binary": (GOOD + "description: !!binary aGFsbG8=\n", ":3: description: ", "!!binary"),
    "!!timestamp": (GOOD + "description: !!timestamp 2024-99-99\n", ":3: description: ", "!!timestamp"),
    "!!python": (GOOD + "description: !!python/name:os.system ''\n", ":3: description: ", "!!python"),
    "own tag": (GOOD + "description: !mine x\n", ":3: description: ", "!mine"),
    "zero byte": (GOOD + "description: a\0b\n", ":3: ", "zero byte"),
    "escaped zero byte": (GOOD + 'description: "a\\0b"\n', ":3: description: ", "remove it"),
    "terminal escape": (GOOD + 'description: "\\e[31m"\n', ":3: description: ", "remove it"),
    "lone surrogate": (GOOD + 'description: "\\ud800"\n', ":3: description: ", "remove it"),
    "no such character": (GOOD + 'description: "\\U99999999"\n', ":3: ", "does not exist"),
    "title of two lines": (GOOD.replace('"T"', '"a\\nb"'), ":1: title: ", "one line"),
    "empty title": (GOOD.replace('"T"', '"  "'), ":1: title: ", "empty"),
    "alias": (GOOD + "description: &a x\nseed: *a\n", ":4: seed: ", "aliases"),
    "two documents": (GOOD + "---\n" + GOOD, ":3: ", "several documents"),
    "empty": ("", ":1: ", "empty"),
    "tab": ("title: T\nattribution:\n\tmodel: x\n", ":3: ", "tab"),
    "depth": ("a: " + "[" * 100_000, ":1: ", "nested"),
    "depth of lines": ("- " * 5_000, ":1: ", "nested"),
    "version": (f"%YAML {'9' * 5000}.1\n---\n" + GOOD, ":1: ", "not valid YAML"),
    "list": ("- 1\n- 2\n", ":1: ", "not a mapping"),
    "a long field": (GOOD + "f" * 900 + ": 1\n", ":3: ", "no such field"),
}  # fmt: skip


def problems(text):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(StudyError) as caught:
        study_from(data, ODD)
    return caught.value.problems


@pytest.mark.parametrize("name", NOT_READ)
def test_each_is_one_problem_with_its_line_and_what_to_write(name):
    text, place, said = NOT_READ[name]
    (problem,) = problems(text)
    assert problem.startswith("odd.yaml:") and place in problem and said in problem
    assert len(problem) < 400 and problem.isprintable()


def test_the_error_names_the_file_once():
    with pytest.raises(StudyError) as caught:
        study_from(NOT_READ["octal"][0].encode(), ODD)
    assert str(caught.value).count("odd.yaml") == 1
    assert str(caught.value).startswith("/studies/odd.yaml:3: seed: '017'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ((GOOD + "x: 1\n").encode("utf-16"), "UTF-16"),
        (GOOD.encode() + b"description: \xff\n", "odd.yaml:3: "),
    ],
)
def test_other_encodings_are_named(text, said):
    assert said in problems(text)[0]


@pytest.mark.parametrize(
    "text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), "# x\n---\n" + GOOD]
)
def test_byte_order_mark_and_line_ends_of_other_systems_are_read(text, tmp_path):
    (tmp_path / "small.yaml").write_bytes(text.encode())
    assert read_study(tmp_path / "small.yaml").study.title == "T"


@pytest.mark.parametrize(
    "word", ["no", "on", "2024-02-31", "2024-99-99", "12:99", "1_000", "0o17", "0x1F", ".nan", "=", "1e999"]
)
def test_a_word_that_is_no_number_of_ours_is_text(word):
    assert plain_value(word) == word
    assert parse(f"title: {word}\n").content == {"title": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [("0", 0), ("-12", -12), ("1e-3", 1e-3), (".5", 0.5), ("3.", 3.0), ("true", True), ("False", False), ("~", None),
     ("", None)],
)  # fmt: skip
def test_numbers_truth_and_nothing(word, value):
    found = plain_value(word)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("lines", ["field{}: 1\n", "same: 1\n", "? [{}]\n: 1\n", "f{}: *x\n"])
def test_many_problems_are_counted_and_cost_little(lines):
    text = GOOD + "".join(lines.format(number) for number in range(3_000))
    began = time.process_time()
    found = problems(text)
    assert len(found) == MAX_PROBLEMS + 1
    more = 3_000 - MAX_PROBLEMS - (lines == "same: 1\n")
    assert found[-1] == f"odd.yaml: and {more:,} more problems; correct these first"
    assert sum(map(len, found)) < 10_000
    assert time.process_time() - began < 20


def test_more_values_than_a_study_has_end_the_reading():
    (problem,) = problems("a: [" + "1," * 100_000 + "]\n")
    assert "more than 60,000 values" in problem


def make_fifo(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (make_fifo, "a named pipe"),
        (make_socket, "a socket"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "a device"),
        (lambda path: path.symlink_to(path.parent / "gone"), "link"),
        (lambda path: path.symlink_to(path), "odd.yaml"),
        (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), f"{MAX_BYTES:,}"),
    ],
)
def test_what_is_no_file_of_text_is_refused_without_waiting(tmp_path, monkeypatch, make, said):
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "odd.yaml"
    make(path)
    with pytest.raises(StudyError, match=said):
        read_study(path)
    with pytest.raises(StudyError, match=said):
        find_study("odd", Settings.from_environment({"XAI_DATA": str(tmp_path)}))


NAMES = [
    "Good.yaml",
    "a_b.yaml",
    "two\nlines.yaml",
    "good\n.yaml",
    "a...name.yaml",
    "-x.yaml",
    "good.yml",
    "x.YAML",
    "é.yaml",
]


def test_names_that_no_study_may_have_are_left_out_and_said(tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    for name in ("good.yaml", "other.yml", ".hidden.yaml", *NAMES):
        (folder / name).write_text(GOOD, encoding="utf-8")
    os.close(os.open(os.fsencode(folder) + b"/not\xffutf8.yaml", os.O_CREAT | os.O_WRONLY))
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    assert [name for name, path in study_paths(settings).items() if path.parent == folder] == [
        "good",
        "other",
    ]
    assert study_paths(settings)["good"].name == "good.yaml"
    odd = {one.name: one.why for one in odd_files(settings)}
    assert len(odd_files(settings)) == len(NAMES) + 1
    assert all(name.isprintable() and why.isprintable() for name, why in odd.items())
    assert "rename it, for example to good.yaml" in odd["Good"]
    assert "good.yaml has the same name" in odd["good"]
    assert "rename it to end in .yaml" in odd["x"]
    with pytest.raises(StudyError, match="lower-case"):
        find_study("Good", settings)


def test_a_folder_that_is_not_there_has_no_studies_but_the_shipped(tmp_path):
    settings = Settings.from_environment({"XAI_STUDIES": str(tmp_path / "away"), "XAI_DATA": str(tmp_path)})
    assert (
        set(study_paths(settings)) == {"demo", "imagenet-places", "photographs"} and odd_files(settings) == []
    )


PIECES = st.sampled_from(
    [
        *" \n\t,[]{}|>'\"9#~=\0\ud800\u2028\x85\ufeff",
        "title: ",
        "T",
        "  ",
        "- ",
        "? ",
        ": ",
        "&a ",
        "*a",
        "!!set ",
    ]
    + [
        "!!int ",
        "!x ",
        "\\U",
        "\\x",
        "99999999",
        "%YAML ",
        "%TAG ",
        "---",
        "...",
        "<<",
        "null",
        "yes",
        ".inf",
        "1e999",
    ]
    + ["{{", "}}", "2024-99-99", "1:2:3", "attribution:", "seed: ", "name: odd"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)))
def test_whatever_stands_in_the_file_only_a_study_error_is_raised(text):
    data = text if isinstance(text, bytes) else (GOOD + text).encode("utf-8", "surrogatepass")
    try:
        study_from(data, ODD)
    except StudyError as error:
        problems = error.problems
    else:
        return
    assert problems and len(problems) <= MAX_PROBLEMS + 1
    assert all(one == printable(one) and len(one) < 2_000 for one in problems)


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
KEYS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1))
def test_json_is_read_as_json_reads_it(content):
    assert parse(json.dumps(content)).content == content


def test_a_run_of_a_file_outside_of_the_folders_is_refused_before_anything_is_said(tmp_path, monkeypatch):
    """Runs know studies by name: the file at the path may be another one than the study of its name."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    for name in ("mine", "demo", "other"):
        path = tmp_path / "elsewhere" / f"{name}.yaml"
        path.write_text(GOOD.replace('"T"', "Secret"), encoding="utf-8")
        ran = CliRunner().invoke(cli, ["run", str(path)])
        assert ran.exit_code == 2
        assert "no folder of studies" in ran.output and "Secret" not in ran.output
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    assert runnable_study(str(tmp_path / "studies" / "mine.yaml"), settings).study.title == "T"


def test_the_list_says_what_is_not_valid_and_what_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    for name, text in {"mine.yaml": GOOD, "bad.yaml": "a: [", "Good.yaml": GOOD, "demo.yaml": GOOD}.items():
        (tmp_path / "studies" / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    rows = {row["name"]: row for row in json.loads(CliRunner().invoke(cli, ["studies", "--json"]).stdout)}
    assert rows["mine"]["title"] == "T" and rows["mine"]["problem"] is None
    assert rows["bad"]["problem"].startswith("bad.yaml:1: not valid YAML")
    assert rows["Good"]["problem"].startswith("Good.yaml is not read")
    assert "shipped" in rows["demo"]["note"]
    shown = CliRunner().invoke(cli, ["studies"])
    assert shown.exit_code == 0 and len(shown.stdout.splitlines()) == 6
    assert "attribution.methods.gradcam: fields" in CliRunner().invoke(cli, ["studies", "--fields"]).stdout
