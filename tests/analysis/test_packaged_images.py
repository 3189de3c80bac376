"""Images that come with installed packages: found, named, labelled, and set aside where they are not there."""

import shutil

import pytest

from tests.conftest import CHECKOUT
from xai_assets.analysis.images import image_names, images
from xai_assets.analysis.own_images import own_images
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.image_files import ImageError, list_packaged

STUDY = """\
title: Files of packages
attribution:
  model: lite/efficientnet-lite0
  images:
    packaged: [{files}]
  methods: {{gradcam: {{}}}}
"""


@pytest.fixture
def settings(tmp_path):
    """Of a folder of the test's own."""
    return Settings.from_environment({"XAI_DATA": str(tmp_path / "data")})


@pytest.fixture
def opened(settings, tmp_path):
    """A bench over a study with these files."""

    def open_with(*files):
        path = tmp_path / "packaged.yaml"
        path.write_text(STUDY.format(files=", ".join(files)), encoding="utf-8")
        return Workbench(settings, read_study(path))

    return open_with


def test_the_shipped_study_names_photographs_that_are_there_and_the_classes_of_its_network(settings):
    file = read_study(CHECKOUT / "data" / "studies" / "photographs.yaml")
    tally = Tally()
    own = own_images(file, tally)
    assert len(own.paths) == 11 and own.folder is None and not tally.left_out
    assert image_names(file) == own.ids
    assert own.labels_of("chelsea.png") == ("tabby", "tiger cat") and own.labels_of("coins.png") == ()


def test_a_file_that_no_package_has_is_left_out_with_the_reason_and_the_others_are_read(opened):
    bench = opened("skimage/data/coffee.png", "skimage/data/nothing.png", "nobody/at/home.png")
    table = images(bench)
    assert table[["image_id", "status"]].to_numpy().tolist() == [["coffee.png", "ok"]]
    assert [note for note in bench.tally.notes if "no installed package has it" in note]
    with pytest.raises(ImageError, match="Install the packages"):
        list_packaged(["nobody/at/home.png"])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["skimage/../../secret.png"], "packaged"),
        (["/etc/passwd"], "packaged"),
        (["skimage/data/.hidden.png"], "packaged"),
        (["skimage/data/coffee.png", "sklearn/coffee.png"], "two files of the name coffee.png"),
        ([], "packaged"),
    ],
)
def test_a_path_stays_in_its_package_and_names_are_told_apart(opened, files, said):
    with pytest.raises(Exception, match=said):
        opened(*files)


def test_labels_that_are_of_none_of_the_files_say_how_images_are_named(settings, tmp_path):
    shutil.copy(CHECKOUT / "data" / "studies" / "photographs.yaml", tmp_path / "own.yaml")
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "labels.csv").write_text("image,label\nmy.png,tripod\n", encoding="utf-8")
    with pytest.raises(Exception, match="the names of their files"):
        own_images(read_study(tmp_path / "own.yaml"), Tally())
