"""`xai init`: what it writes is a study, says what each field is for, and replaces nothing."""

import pytest
from click.testing import CliRunner

from xai_assets.cli import cli
from xai_assets.study import Attribution, ImageSource
from xai_assets.study_file import read_study
from xai_assets.study_new import from_folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("XAI_STUDIES", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photographs").mkdir()
    for name in ("w.pth", "labels.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "classes.txt").write_text("a\nb\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["init", *arguments])


def test_a_study_of_a_model_of_the_zoo_is_written_with_comments(place):
    done = run("mine", "--model", "lite/efficientnet-lite0", "--images", "photographs")
    assert done.exit_code == 0
    path = place / "data" / "studies" / "mine.yaml"
    assert str(path) in done.stdout
    assert "`xai check mine`" in done.stdout
    study = read_study(path).study
    assert study.attribution.model.name == "lite/efficientnet-lite0"
    assert study.attribution.layer is None
    assert read_study(path).resolve(study.attribution.images.folder) == place / "photographs"
    said = " ".join(
        line.strip(" #") for line in path.read_text().splitlines() if line.strip().startswith("#")
    )
    for part, name in ((Attribution, "layer"), (Attribution, "explain"), (ImageSource, "labels")):
        assert f"{name}: {part.model_fields[name].description}".rstrip(".") in said
    assert all(len(line) <= 110 for line in path.read_text().splitlines())


def test_a_study_of_weights_of_ones_own_is_written(place):
    done = run(
        "own", "--model", "my net", "--architecture", "timm/resnet10t", "--checkpoint", "w.pth", "--classes",
        "classes.txt", "--images", "photographs", "--labels", "labels.csv", "--layer", "layer3",
        "--title", 'What "it" sees: # now',
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "preprocessing as the published weights of timm/resnet10t want it" in done.stderr
    file = read_study(place / "data" / "studies" / "own.yaml")
    model = file.study.attribution.model
    assert file.study.title == 'What "it" sees: # now'
    assert (model.name, model.architecture) == ("my net", "timm/resnet10t")
    assert file.resolve(model.checkpoint) == place / "w.pth"
    assert file.resolve(model.class_names) == place / "classes.txt"
    assert model.preprocessing.size == 176
    assert (file.study.attribution.layer, file.study.attribution.explain) == ("layer3", "both")
    assert file.resolve(file.study.attribution.images.labels) == place / "labels.csv"
    labelled = ["--images", "photographs", "--labels", "subfolders"]
    assert run("sub", "--model", "diorama/object", *labelled).exit_code == 0
    assert read_study(place / "data" / "studies" / "sub.yaml").study.attribution.images.labels == "subfolders"


def test_nothing_is_written_over_and_what_is_wrong_is_said(place):
    given = ["--model", "diorama/object", "--images", "photographs"]
    assert run("mine", *given).exit_code == 0
    path = place / "data" / "studies" / "mine.yaml"
    path.write_text("edited")
    done = run("mine", *given)
    assert (done.exit_code, path.read_text()) == (2, "edited")
    assert "it is there" in done.stderr
    for arguments, said in (
        (["demo", *given], "it is there"),
        (["Mine!", *given], "a study's name has"),
        (["other", "--model", "diorama/object", "--images", "nowhere"], "there is no such file or folder"),
        (["other", *given, "--labels", "none.csv"], "--labels none.csv"),
        (["other", "--model", "x", "--checkpoint", "w.pth", "--architecture", "timm/resnet10t", "--images",
          "photographs"], "its classes have no names"),
        (["other", *given, "--title", "two\nlines"], "a text in one line"),
    ):  # fmt: skip
        done = run(*arguments)
        assert done.exit_code == 2
        assert said in done.stderr
    assert [one.name for one in (place / "data" / "studies").iterdir()] == ["mine.yaml"]


def test_paths_are_relative_where_the_two_are_near(tmp_path):
    studies = tmp_path / "data" / "studies"
    assert from_folder(tmp_path / "data" / "photographs", studies) == "../photographs"
    far = tmp_path / "a" / "b" / "c" / "d" / "e"
    assert from_folder("/usr", far) == "/usr"
