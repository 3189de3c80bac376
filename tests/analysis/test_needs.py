"""What a study lacks: what may be fetched, and what a person must bring."""

from pathlib import Path

from xai_assets.analysis.needs import fetch_needs, needs
from xai_assets.settings import Settings
from xai_assets.study_file import read_study

STUDY = """
title: t
attribution: {model: MODEL, images: {folder: .}, methods: {gradcam: {}}}
reports: [cam]
"""


def lacking(tmp_path: Path, model: str) -> dict[str, bool]:
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.replace("MODEL", model))
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})
    return {need.place.name: need.downloadable for need in needs(read_study(path), settings)}


def test_weights_that_come_over_http_without_a_hash_are_for_a_person_to_bring(tmp_path: Path) -> None:
    """Anybody on the way could send other weights. With its hash in the study the file is fetched."""
    weights, names = "resnet18_places365.pth.tar", "categories_places365.txt"
    assert lacking(tmp_path, "places365/resnet18") == {weights: False, names: True}
    named = "{name: places365/resnet18, sha256: " + "a" * 64 + "}"
    assert lacking(tmp_path, named) == {weights: True, names: True}
    assert set(lacking(tmp_path, "torchvision/resnet18").values()) == {True}


def test_nothing_is_fetched_while_something_is_to_be_brought(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(STUDY.replace("MODEL", "places365/resnet18"))
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})

    def never(what: str) -> None:
        raise AssertionError(f"{what} is fetched")

    left = fetch_needs(needs(read_study(path), settings), never)  # type: ignore[arg-type]
    assert any("get it from http://places2.csail.mit.edu" in line for line in left)
