import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xai_assets.interop.broden import BrodenProbe
from xai_assets.world.broden import is_complete, write_probe
from xai_assets.world.description import describe
from xai_assets.world.errors import WorldError
from xai_assets.world.render import render
from xai_assets.world.vocabulary import CATEGORIES, PIXEL_CATEGORIES, VOCABULARY

COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    told = []
    path = tmp_path_factory.mktemp("probe") / "diorama"
    write_probe(path, count=COUNT, progress=lambda done, whole: told.append((done, whole)))
    assert told == [(k, COUNT) for k in range(1, COUNT + 1)]
    return path


@pytest.fixture(scope="module")
def rendered():
    return [render(describe("probe", index)) for index in range(COUNT)]


def test_read_back_with_pandas_and_pillow_the_labels_are_those_rendered(folder, rendered):
    index = pd.read_csv(folder / "index.csv", keep_default_na=False)
    names = pd.read_csv(folder / "label.csv").set_index("number")["name"]
    assert list(index.columns) == [
        "image", "split", "ih", "iw", "sh", "sw", "color", "object", "part", "material", "scene", "texture",
    ]  # fmt: skip
    assert len(index) == COUNT
    for row, truth in zip(index.to_dict("records"), rendered, strict=True):
        assert (row["ih"], row["iw"], row["sh"], row["sw"]) == (128, 128, 64, 64)
        assert (np.asarray(Image.open(folder / "images" / row["image"])) == truth.image).all()
        assert names[int(row["scene"])] == truth.scene
        for category in PIXEL_CATEGORIES:
            expected = truth.labels[category][::2, ::2]
            if not row[category]:
                assert not expected.any()
                continue
            code = np.asarray(Image.open(folder / "images" / row[category])).astype(int)
            assert code.shape == (64, 64, 3)
            number = code[..., 0] + 256 * code[..., 1]
            words = np.array(["", *VOCABULARY[category]])[expected]
            found = np.where(number > 0, names.reindex(number.ravel()).to_numpy().reshape(64, 64), "")
            assert (found == words).all()


def test_frequency_and_coverage_are_counted_right(folder):
    index = pd.read_csv(folder / "index.csv", keep_default_na=False, dtype=str)
    labels = pd.read_csv(folder / "label.csv")
    for category in CATEGORIES:
        dense = pd.read_csv(folder / f"c_{category}.csv")
        assert dense["code"].tolist() == list(range(1, len(dense) + 1))
        assert dense["frequency"].is_monotonic_decreasing
        maps = [
            np.full((1, 1), int(cell)) if cell.isdecimal()
            else np.asarray(Image.open(folder / "images" / cell)).astype(int) @ [1, 256, 0]
            for cell in index[category] if cell
        ]  # fmt: skip
        for row in dense.to_dict("records"):
            shares = [(values == row["number"]).mean() for values in maps]
            assert row["frequency"] == np.count_nonzero(shares)
            assert row["coverage"] == pytest.approx(sum(shares), abs=1e-5)
    summary = pd.read_csv(folder / "category.csv").set_index("name")
    assert set(summary.index) == set(CATEGORIES)
    for label in labels.to_dict("records"):
        parts = dict(part.rstrip(")").split("(") for part in label["category"].split(";"))
        assert label["frequency"] == sum(int(n) for n in parts.values())
    assert labels["name"].is_unique


def test_the_project_s_own_reader_takes_it(folder, rendered):
    probe = BrodenProbe(folder)
    assert len(probe) == COUNT
    assert (probe.image(3) == rendered[3].image).all()
    assert probe.labels(3)["object"].shape == (1, 64, 64)
    assert set(probe.concepts["category"]) == set(CATEGORIES)


def test_a_complete_folder_is_left_alone_and_another_count_is_written_anew(tmp_path):
    path = tmp_path / "probe"
    write_probe(path, count=2)
    before = (path / "index.csv").stat().st_mtime_ns
    write_probe(path, count=2)
    assert (path / "index.csv").stat().st_mtime_ns == before
    write_probe(path, count=3)
    assert is_complete(path, count=3)
    assert not is_complete(path, count=2)
    assert len(pd.read_csv(path / "index.csv")) == 3


def test_a_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(WorldError, match=r"no probe set"):
        write_probe(tmp_path, count=1)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_two_processes_write_the_same_files(folder, tmp_path):
    write_probe(tmp_path / "probe", count=COUNT, workers=2)
    for file in sorted(folder.rglob("*.*")):
        assert (tmp_path / "probe" / file.relative_to(folder)).read_bytes() == file.read_bytes()
