"""Maps of other tools in a study: the same map is our own to the bit, and each that cannot be used says why."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from xai_assets.analysis.counterfactuals import counterfactuals
from xai_assets.analysis.evaluation import localization, mask_agreement
from xai_assets.analysis.evidence_place import evidence_place
from xai_assets.analysis.explanations import maps, read_map
from xai_assets.analysis.external_maps import OWN_THRESHOLD, cut, external_maps, place
from xai_assets.analysis.faithfulness import faithfulness
from xai_assets.analysis.images import images
from xai_assets.analysis.loading import load_masks, load_measures
from xai_assets.analysis.map_facts import external_facts
from xai_assets.analysis.needs import needs
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.robustness import robustness
from xai_assets.analysis.verification import verification
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import BinarisationPolicy
from xai_assets.attribution.parameters import ExternalParameters
from xai_assets.automation.watched_files import image_files
from xai_assets.checks.attribution import COVERED, FEW_BLANK, SOUND
from xai_assets.checks.evaluation import LOOKED_AT
from xai_assets.errors import XaiError
from xai_assets.interop.map_files import MapFileError
from xai_assets.settings import Settings
from xai_assets.study import Methods
from xai_assets.study_file import StudyError, read_study
from xai_assets.vision.geometry import resize_crop_frame, whole_frame

STUDY = """\
title: Maps of another tool
attribution:
  model:
    name: diorama/object
    preprocessing: {{mode: resize_crop, resize: 140, size: 128, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}}
  images: {{folder: pictures}}
  methods: {methods}
  faithfulness: {{steps: 5}}
"""
BOTH = "{gradcam: {}, external: {maps: theirs}}"


def bench(root, methods=BOTH):
    (root / "pictures").mkdir(exist_ok=True)
    (root / "theirs").mkdir(exist_ok=True)
    draw = np.random.default_rng(0)
    for name, size in {"a": (150, 200), "b": (300, 160), "c": (150, 200)}.items():
        rough = draw.integers(0, 255, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(rough).resize(size[::-1]).save(root / "pictures" / f"{name}.png")
    (root / "own.yaml").write_text(STUDY.format(methods=methods), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(root / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(root / "own.yaml"))


@pytest.fixture
def opened(tmp_path):
    found = bench(tmp_path)
    pictures = images(found)
    said = predictions(found, pictures)
    return found, pictures, said, maps(found, said, pictures, "gradcam"), tmp_path / "theirs"


def theirs(opened):
    found, pictures, said, own, _ = opened
    return external_maps(found, said, pictures), own, found


def test_our_own_map_from_a_file_is_our_own_map(opened):
    found, _, said, own, folder = opened
    for row in own.to_dict("records"):
        np.save(folder / f"{row['image_id'][0]}.npy", read_map(found, row)[0].values)
    read, _, _ = theirs(opened)
    same = ["image_id", "target_index", "threshold", "density", "raw_min", "raw_max", "constant", "policy"]
    pd.testing.assert_frame_equal(read[same], own[same])
    both = pd.concat([own, read], ignore_index=True)
    agreement = mask_agreement(found, both)
    assert (agreement["iou"] == 1).all() and (agreement["rank_correlation"] > 1 - 1e-12).all()
    assert set(agreement["method_b"]) == {"external"}
    measured = faithfulness(found, both, said).set_index("method")
    assert measured.loc["external", "value"].tolist() == measured.loc["gradcam", "value"].tolist()
    facts = external_facts(found, read, said)
    assert all(check.look(read, said, facts).passed for check in (COVERED, SOUND, FEW_BLANK))


def test_they_are_loaded_beside_our_own(opened):
    found, pictures, said, own, folder = opened
    for row in own.to_dict("records"):
        np.save(folder / f"{row['image_id'][0]}.npy", read_map(found, row)[0].values)
    both = pd.concat([own, external_maps(found, said, pictures)], ignore_index=True)
    where = localization(found, both, said)
    rows = load_masks(
        found, pictures, said, both, mask_agreement(found, both), where,
        evidence_place=evidence_place(found, both, said),
    )  # fmt: skip
    load_measures(
        found, said, both, where,
        faithfulness=faithfulness(found, both, said), robustness=robustness(found, both.iloc[:0], said),
        counterfactuals=counterfactuals(found, said, both),
        verification=verification(found, both, said, pictures),
    )  # fmt: skip
    assert rows.set_index("table")["rows"]["maps"] == 6
    tables = found.warehouse.read("own")
    theirs = tables["maps"][tables["maps"]["method"] == "external"]
    assert theirs["seconds"].isna().all() and theirs["device"].isna().all() and len(theirs) == 3
    (pair,) = tables["agreement_summary"].query("metric == 'iou' and area.isna()").to_dict("records")
    assert (pair["method_a"], pair["method_b"], pair["mean"]) == ("gradcam", "external", 1)
    means = tables["metric_summary"].set_index(["method", "metric", "variant"])["mean"].astype(float)
    assert means["external"].dropna().to_dict() == means["gradcam"].dropna().to_dict() != {}


def test_robustness_is_not_asked_of_them(opened):
    found, pictures, said, own, folder = opened
    for name in "abc":
        np.save(folder / f"{name}.npy", np.random.default_rng(1).random((128, 128)))
    table = robustness(found, external_maps(found, said, pictures), said)
    assert not len(table)
    assert "not asked of external: maps of another tool cannot be made again" in found.tally.facts
    asked = own[["image_id", "target_index", "method"]]
    assert LOOKED_AT.look(asked, pd.concat([own, own.assign(method="external")])).passed
    assert not LOOKED_AT.look(asked, pd.concat([own, own.assign(method="lime")])).passed


def test_sets_with_names_tools_layers_and_thresholds(tmp_path):
    found = bench(
        tmp_path,
        "{external: {captum: {maps: theirs, tool: captum 0.9, layer: layer4, threshold: 0.25}, lime-lib: {maps: more}}}",
    )
    (tmp_path / "more").mkdir()
    values = np.linspace(0, 0.5, 128 * 128, dtype=np.float32).reshape(128, 128)
    pictures = images(found)
    said = predictions(found, pictures)
    for name in "abc":
        np.save(tmp_path / "theirs" / f"{name}.npy", values)
        np.save(tmp_path / "more" / f"{name}.npy", values)
    rows = external_maps(found, said, pictures)
    assert list(dict.fromkeys(rows["method"])) == ["external:captum", "external:lime-lib"]
    captum = rows[rows["method"] == "external:captum"]
    assert set(captum["layer"]) == {"layer4"} and set(captum["policy"]) == {OWN_THRESHOLD}
    assert captum["density"].tolist() == pytest.approx([float((values >= 0.25).mean())] * 3)
    assert captum["threshold"].tolist() == pytest.approx([0.5] * 3)
    assert set(rows[rows["method"] == "external:lime-lib"]["policy"]) == {"fixed"}
    assert sorted(file.name for file in image_files(found.file))[-1] == "c.png"
    assert {file.parent.name for file in image_files(found.file)} == {"pictures", "theirs", "more"}


def test_a_map_of_the_whole_image_is_brought_into_what_the_model_sees():
    frame = resize_crop_frame(150, 200, 140, 128)
    mark = np.zeros((150, 200), dtype=np.float32)
    mark[60:80, 90:120] = 1
    placed, lies = place(mark, frame, None)
    assert lies == "original" and placed.shape == (128, 128)
    np.testing.assert_allclose(placed, frame.crop_fraction(mark > 0), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "lies", "why"),
    [
        (
            (224, 224),
            None,
            r"224 x 224 pixels and is neither of the image file \(200 x 150\) nor .* \(128 x 128\)",
        ),
        ((200, 150), None, "the sides are exchanged"),
        ((7, 7), None, "the resolution of a layer"),
        ((128, 128), "original", r"not of the image file \(200 x 150\)"),
        ((150, 200), "model", r"not of the input of the model \(128 x 128\)"),
    ],
)
def test_another_size_is_refused_with_both_sizes(shape, lies, why):
    with pytest.raises(MapFileError, match=why):
        place(np.zeros(shape, dtype=np.float32), resize_crop_frame(150, 200, 140, 128), lies)


def test_one_size_of_two_meanings_has_to_be_said():
    crop, whole = resize_crop_frame(128, 128, 140, 128), whole_frame(128, 128, (128, 128), "squash")
    values = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    with pytest.raises(MapFileError, match="Say `frame: model` or `frame: original`"):
        place(values, crop, None)
    assert place(values, crop, "model")[0] is values
    assert not np.array_equal(place(values, crop, "original")[0], values)
    np.testing.assert_array_equal(place(values, whole, None)[0], values)


def test_a_threshold_of_another_scale_says_so(tmp_path):
    found = bench(tmp_path, "{external: {maps: theirs, threshold: 128}}")
    pictures = images(found)
    np.save(tmp_path / "theirs" / "a.npy", np.random.default_rng(0).random((128, 128)))
    rows = external_maps(found, predictions(found, pictures), pictures)
    assert rows["density"].tolist() == [0] and rows["threshold"].tolist() == [1]
    assert any("its threshold 128 takes none of its values" in line for line in found.tally.problems)


def test_a_constant_map_and_negative_values_are_as_our_own():
    policy = BinarisationPolicy()
    flat = np.full((4, 4), 3, dtype=np.float32)
    mask, threshold, name = cut(flat, ExternalParameters(maps="x", threshold=1), policy)
    assert not mask.any() and threshold is None and name == "fixed"
    signed = np.linspace(-1, 1, 16, dtype=np.float32).reshape(4, 4)
    assert cut(signed, ExternalParameters(maps="x"), policy)[0].sum() == 8


def write_bad(folder):
    """One bad map each of a and b, and a good one of c; with what is said of the two."""
    np.save(folder / "c.npy", np.random.default_rng(0).random((128, 128)))
    values = np.random.default_rng(0).random((12, 12))
    plt.imsave(folder / "a.png", values, cmap="jet")
    np.save(folder / "b.npy", values)


def test_one_bad_map_is_one_clear_line_and_the_others_go_on(opened):
    found, *_, folder = opened
    write_bad(folder)
    (folder / "zebra.npy").write_bytes(b"")
    rows, *_ = theirs(opened)
    assert rows["image_id"].tolist() == ["c.png"]
    problems = [line for line in found.tally.problems if "predicted" not in line]
    assert len(problems) == 2
    assert "the colours of jet" in problems[0] and problems[0].startswith("a.png (")
    assert "12 x 12 pixels and is neither of the image file (160 x 300)" in problems[1]
    assert any("1 of 3 target classes" in fact and "zebra.npy" in fact for fact in found.tally.facts)
    facts = external_facts(found, rows, opened[2])
    assert not COVERED.look(rows, opened[2], facts).passed


def test_a_set_without_any_usable_map_is_missed_beside_one_that_has_some(tmp_path):
    found = bench(tmp_path, "{external: {good: {maps: theirs}, bad: {maps: pictures}}}")
    pictures = images(found)
    said = predictions(found, pictures)
    for name in "abc":
        np.save(tmp_path / "theirs" / f"{name}.npy", np.random.default_rng(0).random((128, 128)))
    rows = external_maps(found, said, pictures)
    assert set(rows["method"]) == {"external:good"}
    verdict = COVERED.look(rows, said, external_facts(found, rows, said))
    assert not verdict.passed and verdict.numbers["missing"] == 3 and "external:bad" in verdict.said


def test_nothing_usable_stops_a_study_of_nothing_else(tmp_path):
    found = bench(tmp_path, "{external: {maps: theirs}}")
    pictures = images(found)
    said = predictions(found, pictures)
    with pytest.raises(XaiError, match="not one can be used"):
        external_maps(found, said, pictures)
    beside = bench(tmp_path)
    assert not len(external_maps(beside, said, pictures))


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a.npy", "a.png.npy"], None),
        (["a.npy", "a.safetensors"], "are both of it"),
        (["a.jpg"], r"a.jpg in theirs is neither .png nor .npy nor .safetensors"),
        (["a.teapot.npy"], "has none of this class, but a.teapot"),
        (["teapot/a.npy"], "has none of this class, but teapot/a"),
        ([], "has none of that name"),
    ],
)
def test_names_are_matched_or_the_reason_is_said(opened, names, why):
    found, *_, folder = opened
    values = np.random.default_rng(0).random((128, 128)).astype(np.float32)
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        if name.endswith(".safetensors"):
            save_file({"map": torch.from_numpy(values)}, folder / name)
        elif name.endswith(".npy"):
            np.save(folder / name, values)
        else:
            (folder / name).touch()
    rows, *_ = theirs(opened)
    if why is None:
        assert rows["image_id"].tolist() == ["a.png"]
    else:
        assert any("a.png" in line and why in line for line in found.tally.problems), found.tally.problems


@pytest.mark.parametrize("name", ["{image}.{upper}.npy", "{index}/{image}.npy", "{image}.png.{index}.npy"])
def test_the_class_that_a_name_says_counts(opened, name):
    _, _, said, _, folder = opened
    of = said[said["image_id"] == "a.png"].iloc[0]
    file = folder / name.format(image="a", upper=of["target_name"].upper(), index=of["target_index"])
    file.parent.mkdir(exist_ok=True)
    np.save(file, np.random.default_rng(0).random((128, 128)))
    assert theirs(opened)[0]["image_id"].tolist() == ["a.png"]


def test_the_photograph_itself_is_no_map(opened):
    found, *_, folder = opened
    grey = np.asarray(Image.open(folder.parent / "pictures" / "a.png").convert("L"))
    Image.fromarray(grey).save(folder / "a.png")
    theirs(opened)
    assert any("the image itself in grey" in line for line in found.tally.problems)


def test_check_says_what_the_run_does(tmp_path):
    found = bench(tmp_path)
    write_bad(tmp_path / "theirs")
    said = [one for one in precheck(found.file, found.settings) if one.what == "external"]
    assert {one.state for one in said} == {"look"}
    assert said[0].said.startswith("1 of 3 target classes have a map that can be used")
    pictures = images(found)
    external_maps(found, predictions(found, pictures), pictures)
    run = [line for line in found.tally.problems if "predicted" not in line]
    assert [one.said for one in said[1:]] == run and len(run) == 2
    alone = bench(tmp_path, "{external: {maps: theirs}}")
    for name in "ac":
        next((tmp_path / "theirs").glob(f"{name}.*")).unlink()
    assert {one.state for one in precheck(alone.file, alone.settings) if one.what == "external"} == {"unfit"}
    with pytest.raises(XaiError, match="not one can be used"):
        external_maps(alone, predictions(alone, pictures), pictures)
    gone = bench(tmp_path, "{gradcam: {}, external: {maps: nowhere}}")
    assert [need.what for need in needs(gone.file, gone.settings)] == ["the maps of external"]


@pytest.mark.parametrize(
    ("methods", "why"),
    [
        ("{external: {}}", "external"),
        ("{external: {a b: {maps: x}}}", "external"),
        ("{external: {maps: x, threshhold: 1}}", "threshhold"),
        ("{external: {a: {tool: x}}}", "maps"),
    ],
)
def test_what_a_study_says_of_them_is_checked(tmp_path, methods, why):
    with pytest.raises(StudyError, match=why):
        bench(tmp_path, methods)


def test_sets_are_methods_behind_our_own():
    methods = Methods.model_validate({"external": {"b": {"maps": "x"}, "a": {"maps": "y"}}, "lime": {}})
    assert methods.chosen() == ("lime", "external:b", "external:a")
    assert methods.made() == ("lime",)
    assert Methods.model_validate({"external": {"maps": "x"}}).chosen() == ("external",)
    assert Methods.model_validate(methods.model_dump()) == methods
