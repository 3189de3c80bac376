"""`xai lime`: what it prints, what it writes, and how it ends."""

import json
import pickle  # noqa: TID251 -- the tests make the files
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from xai_assets.cli import cli
from xai_assets.study_file import read_study

STUDY = """\
title: A small study  # by hand
attribution:
  model: diorama/object
  images:
    folder: pictures
  methods:
    lime: {segmentation: {name: grid, rows: 4, columns: 4}, num_samples: 20}
reports: [lime]
"""


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    for name in ("XAI_ARTIFACTS", "XAI_WAREHOUSE", "XAI_REPORTS", "XAI_MODELS", "XAI_STUDIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XAI_DEVICE", "cpu")
    return lambda *arguments: CliRunner().invoke(cli, ["lime", *map(str, arguments)])


@pytest.fixture
def study(tmp_path) -> Path:
    """A study of two pictures of 128 by 128, and one file that is none."""
    (tmp_path / "pictures").mkdir()
    generator = np.random.default_rng(0)
    for name in ("n01443537_goldfish.png", "n02007558_flamingo.png"):
        pixels = generator.integers(0, 80, (96, 128, 3), dtype=np.uint8)
        pixels[20:60, 40:90] = generator.integers(120, 255, 3)
        Image.fromarray(pixels).save(tmp_path / "pictures" / name)
    (tmp_path / "pictures" / "broken.png").write_bytes(b"not a picture")
    path = tmp_path / "small.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def pickled(tmp_path, content):
    path = tmp_path / "parameters.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


def test_import_writes_the_studys_entries_under_its_own_names(invoke, study, tmp_path):
    path = pickled(tmp_path, {"goldfish": {"num_samples": 70}, "flamingo": {"num_samples": 80}})
    found = invoke("import", path, "--study", study)
    assert found.exit_code == 0, found.output
    assert f"{study}: 2 entries" in found.output
    text = study.read_text(encoding="utf-8")
    assert text.startswith(STUDY.split("reports")[0])
    assert text.endswith("reports: [lime]\n")
    entries = read_study(study).study.attribution.lime_per_image
    assert {name: entry.num_samples for name, entry in entries.items()} == {
        "n01443537_goldfish.png": 70,
        "n02007558_flamingo.png": 80,
    }


def test_import_names_what_it_leaves_out_and_ends_with_1(invoke, study, tmp_path):
    path = pickled(
        tmp_path, {"goldfish": {"num_samples": 70, "depth": 3}, "cow": {}, "racer": {"num_samples": 5}}
    )
    found = invoke("import", path, "--study", study)
    assert found.exit_code == 1
    assert "parameters.pkl: depth: unknown, not carried over (goldfish)" in found.output
    assert "parameters.pkl: cow: left out: no parameters" in found.output
    assert "parameters.pkl: racer: left out: is no image of the study" in found.output
    assert list(read_study(study).study.attribution.lime_per_image) == ["n01443537_goldfish.png"]


def test_import_of_nothing_that_fits_writes_nothing_and_ends_with_2(invoke, study, tmp_path):
    found = invoke("import", pickled(tmp_path, {"cow": {"num_samples": 5}}), "--study", study)
    assert (found.exit_code, study.read_text(encoding="utf-8")) == (2, STUDY)
    two = pickled(tmp_path, {name: {"num_samples": 5} for name in ("goldfish", "n01443537_goldfish")})
    found = invoke("import", two, "--study", study)
    assert found.exit_code == 2
    assert "goldfish and n01443537_goldfish mean n01443537_goldfish.png" in found.output


def test_import_to_a_file_and_to_the_terminal(invoke, tmp_path):
    path = pickled(tmp_path, {"a": {"num_samples": 70}, "b": {"num_samples": 70}})
    output = tmp_path / "out.yaml"
    found = invoke("import", path, "--output", output)
    assert found.exit_code == 0
    assert "would say it once" in found.output
    assert list(yaml.safe_load(output.read_text())["lime_per_image"]) == ["a", "b"]
    assert output.read_text() in invoke("import", path).output
    assert invoke("import", path, "--output", output, "--study", "demo").exit_code == 2


def test_import_refuses_a_hostile_or_empty_file_by_name(invoke, tmp_path):
    path = tmp_path / "evil.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch ran'\ntR.")
    found = invoke("import", path)
    assert found.exit_code == 2
    assert "evil.pkl: GLOBAL at byte 0: refused" in found.output
    path.write_bytes(b"")
    assert "the file is empty" in invoke("import", path).output
    assert invoke("import", tmp_path / "absent.pkl").exit_code == 2


def draw_mask(path, box=(20, 60, 40, 90), size=(96, 128)):
    mask = np.zeros(size, dtype=np.uint8)
    mask[box[0] : box[1], box[2] : box[3]] = 255
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(mask).save(path)


def test_grade_prints_averages_and_table(invoke, study, tmp_path):
    draw_mask(tmp_path / "masks" / "n01443537_goldfish.png")
    draw_mask(tmp_path / "masks" / "n02007558_flamingo.png.png")
    found = invoke("grade", study, "--masks", tmp_path / "masks", "--json")
    assert found.exit_code == 1, found.output  # broken.png is in the folder
    assert "broken.png" in found.stderr
    told = json.loads(found.stdout)
    assert (told["graded"], told["frame"], told["policy"]) == (2, "original", "fixed")
    assert [row["image_id"] for row in told["images"]] == ["n01443537_goldfish.png", "n02007558_flamingo.png"]
    assert told["avg_iou"] == pytest.approx(np.mean([row["iou"] for row in told["images"]]))
    assert told["avg_time"] == pytest.approx(np.mean([row["seconds"] for row in told["images"]]))
    again = json.loads(invoke("grade", study, "--masks", tmp_path / "masks", "--json").stdout)
    assert again == told  # what is there is not computed again, nor its time measured again
    (tmp_path / "pictures" / "broken.png").unlink()
    text = invoke("grade", study, "--masks", tmp_path / "masks")
    assert text.exit_code == 0
    assert f"avg_iou  {told['avg_iou']:.3f} over 2" in text.stdout
    assert f"avg_time {told['avg_time']:.3f} s" in text.stdout


def test_grade_names_missing_masks_and_never_mixes_frames(invoke, study, tmp_path):
    (tmp_path / "pictures" / "broken.png").unlink()
    draw_mask(tmp_path / "masks" / "n01443537_goldfish.png", size=(128, 128))
    found = invoke("grade", study, "--masks", tmp_path / "masks")
    assert found.exit_code == 2
    assert (
        "does not lie on the original frame of 128 x 96. Masks are not resized. It fits the model"
        in found.stderr
    )
    assert "n02007558_flamingo.png" in found.stderr and "there is none in" in found.stderr
    found = invoke("grade", study, "--masks", tmp_path / "masks", "--frame", "model")
    assert found.exit_code == 1
    assert "over 1" in found.stdout
    assert invoke("grade", study, "--masks", tmp_path / "absent").exit_code == 2


def log_of(path):
    return [json.loads(line) for line in path.with_suffix(".lime-tuning.jsonl").read_text().splitlines()]


def test_tune_writes_entries_and_a_log_and_the_same_again(invoke, study, tmp_path):
    draw_mask(tmp_path / "masks" / "n01443537_goldfish.png")
    arguments = ("tune", study, "--trials", 2, "--masks", tmp_path / "masks", "--seed", 3)
    output = tmp_path / "out.yaml"
    found = invoke(*arguments, "--output", output)
    assert found.exit_code == 0, found.output
    assert study.read_text(encoding="utf-8") == STUDY
    assert "graded on: that grade is too high" in found.stderr
    assert "There is no held-out grade" in found.stderr
    assert "There is no reference mask" in found.stderr  # of the other image
    assert "n02007558_flamingo.png" in found.stderr
    first, *others = log_of(output)
    assert (first["record"], first["seed"], first["candidates"], first["budget_seconds"]) == (
        "search",
        3,
        2,
        None,
    )
    assert "graded too well" in first["rule"]
    assert len(first["warnings"]) == 3
    trials = [row for row in others if row["record"] == "trial"]
    assert {row["image_id"] for row in trials} == {"n01443537_goldfish.png", "n02007558_flamingo.png"}
    assert all(row["score"] is not None or row["problem"] for row in trials)
    assert all(row["seconds"] >= 0 and row["parameters"]["segmentation"] for row in trials)
    assert [row["record"] for row in others[-1:]] == ["summary"]
    choices = {row["image_id"]: row for row in others if row["record"] == "choice"}
    assert {row["judged_by"] for row in choices.values()} == {"reference", "surrogate"}
    assert invoke(*arguments).exit_code == 0
    changed = {name: row["parameters"] for name, row in choices.items() if row["changed"]}
    written = read_study(study).study.attribution.lime_per_image
    assert {name: entry.model_dump(mode="json") for name, entry in written.items()} == changed
    assert [{**row, "seconds": 0} for row in log_of(study)] == [
        {**row, "seconds": 0} for row in [first, *others]
    ]


def test_tune_ends_at_its_budget_and_says_so(invoke, study):
    found = invoke("tune", study, "--budget", 0.001, "--images", "n02007558_flamingo.png")
    assert found.exit_code == 0, found.output
    assert "The budget ended the search" in found.stderr
    assert study.read_text(encoding="utf-8") == STUDY
    assert len([row for row in log_of(study) if row["record"] == "trial"]) <= 1


def test_tune_names_what_it_cannot_do(invoke, study):
    assert "is no image of the study" in invoke("tune", study, "--images", "x.png").output
    assert "cannot be read" in invoke("tune", study, "--images", "broken.png").output
    study.write_text(
        STUDY.replace("reports", "  binarisation: {policy: same_area}\nreports"), encoding="utf-8"
    )
    assert "same_area needs a reference mask" in invoke("tune", study).output
    study.write_text(
        STUDY.replace(
            "lime: {segmentation: {name: grid, rows: 4, columns: 4}, num_samples: 20}", "gradcam: {}"
        )
    )
    assert "has no LIME" in invoke("tune", study).output
    assert not list(study.parent.glob("*.jsonl"))
