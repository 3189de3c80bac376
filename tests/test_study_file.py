"""A study's file: what is right is read, what is wrong is said as file, line and field."""

import pytest

from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, find_study, read_study, study_paths

GOOD = """\
title: A small study
attribution:
  model: diorama/object
  images:
    folder: pictures
  methods:
    gradcam: {}
"""


def write(tmp_path, text, name="small"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(tmp_path, text):
    with pytest.raises(StudyError) as caught:
        read_study(write(tmp_path, text))
    return caught.value.problems


def test_a_good_study_is_read_and_its_paths_start_at_its_folder(tmp_path):
    found = read_study(write(tmp_path, GOOD))
    assert found.study.name == "small"
    assert found.study.attribution.methods.chosen() == ("gradcam",)
    assert found.resolve("pictures") == tmp_path / "pictures"


@pytest.mark.parametrize("name", ["demo", "imagenet-places", "photographs"])
def test_shipped_studies_are_valid(name):
    assert find_study(name, Settings.from_environment({})).study.name == name


@pytest.mark.parametrize(
    ("wrong", "right", "line", "field"),
    [
        ("  layr: layer4\n", "", 3, "attribution.layr"),
        ("    gradcam: {bins: 3}\n", "    gradcam: {}\n", 7, "attribution.methods.gradcam.bins"),
        ("  model: {name: mine, sha256: abc}\n", "  model: diorama/object\n", 3, "attribution.model.sha256"),
    ],
)
def test_a_typo_is_named_with_line_and_field(tmp_path, wrong, right, line, field):
    text = GOOD.replace(right, wrong) if right else GOOD.replace("attribution:\n", "attribution:\n" + wrong)
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f"small.yaml:{line}: {field}: ")


def test_several_mistakes_are_all_named(tmp_path):
    found = problems(tmp_path, GOOD.replace("A small study", '""').replace("gradcam", "gradcamm"))
    assert {line.split(": ")[1] for line in found} >= {"title", "attribution.methods.gradcamm"}


@pytest.mark.parametrize(
    ("models", "said"),
    [
        (
            "  model: diorama/object\n  models: [diorama/object, diorama/scene]\n",
            "`model` or `models`, not both",
        ),
        ("", "name the classifier that is explained: `model`, or `models` for several"),
        ("  models: []\n", "names no model"),
        ("  models: [diorama/object, diorama/scene, diorama/object]\n", "names diorama/object twice"),
        ("  models:\n    - {name: a, checkpoint: c}\n    - {name: a, checkpoint: c}\n", "names a twice"),
    ],
)
def test_one_model_or_several_that_differ(tmp_path, models, said):
    (problem,) = problems(tmp_path, GOOD.replace("  model: diorama/object\n", models))
    assert said in problem


@pytest.mark.parametrize(
    ("models", "several"),
    [
        ("  models: [diorama/object]\n", []),
        ("  models:\n    - diorama/object\n    - {name: diorama/object, checkpoint: later.safetensors}\n",
         [None, "later.safetensors"]),
    ],
)  # fmt: skip
def test_the_first_of_several_models_is_the_model(tmp_path, models, several):
    found = read_study(write(tmp_path, GOOD.replace("  model: diorama/object\n", models))).study.attribution
    assert found.model.name == "diorama/object" and found.model.checkpoint is None
    assert [spec.checkpoint for spec in found.models] == several


def test_exactly_one_source_of_images(tmp_path):
    text = GOOD.replace("    folder: pictures\n", "    folder: pictures\n    diorama: {}\n")
    assert "exactly one of diorama, folder" in problems(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: [1, 2", "small.yaml:1: not valid YAML"),
        ("- 1\n- 2\n", "not a mapping"),
        (GOOD + "title: again\n", "stands twice, first in line 1"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        (GOOD + "name: other\n", "not the file's name"),
        ("title: nothing else\n", "a dissection, an attribution, or both"),
        ("!!python/object/apply:os.system ['true']\n", "the tag !!python/object/apply:os.system"),
    ],
)
def test_what_is_no_study_says_so(tmp_path, text, said):
    assert said in "\n".join(problems(tmp_path, text))


def test_text_that_is_not_utf8(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_bytes(b"title: \xff\xfe")
    with pytest.raises(StudyError, match="not UTF-8"):
        read_study(path)


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    with pytest.raises(StudyError, match="Known studies: demo, imagenet-places, photographs"):
        find_study("dmeo", settings)


def test_the_users_study_comes_before_a_shipped_one_of_that_name(tmp_path):
    (tmp_path / "studies").mkdir()
    mine = write(tmp_path / "studies", GOOD, "demo")
    assert study_paths(Settings.from_environment({"XAI_DATA": str(tmp_path)}))["demo"] == mine
