"""Labels of one's own images: subfolders, CSV, COCO; what fits no image, what has no label, and what is said of it."""

import json

import pytest
from PIL import Image

from xai_assets.analysis.images import image_names, images
from xai_assets.analysis.own_images import own_images
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.predictions import labels_of, predictions
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.interop.label_files import LabelError
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, read_study
from xai_assets.world.images import study_images

STUDY = """\
title: Photographs with labels
attribution:
  model: diorama/object
  images: {{folder: pictures{source}}}
  methods: {{gradcam: {{}}}}
{more}
"""


@pytest.fixture(scope="module")
def scenes():
    return study_images("demo", 6, 0)


def opened(root, source="", more=""):
    (root / "own.yaml").write_text(STUDY.format(source=source, more=more), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(root / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(root / "own.yaml"))


def draw(root, *names):
    for at, name in enumerate(names):
        path = root / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), (40 * at % 255, 90, 20)).save(path)


def labels(root, text, name="labels.csv"):
    (root / name).write_text(text, encoding="utf-8")


def taken(root, source, more=""):
    tally = Tally()
    own = own_images(opened(root, source, more).file, tally)
    return own, tally


def test_without_labels_ids_are_the_names_as_ever(tmp_path):
    draw(tmp_path, "a.png", "b.png", "below/c.png")
    own, tally = taken(tmp_path, "")
    assert own.ids == ("a.png", "b.png") and own.labels is None and not tally.facts
    assert tally.problems == ("below/c.png: it is in a folder below",)


def test_a_csv_file_by_name_path_and_stem(tmp_path):
    draw(tmp_path, "a.png", "b.png", "c.v2.png", "d.png")
    labels(tmp_path, "image,label\na.png,dog\nval/b.png,cat\nc.v2,cat\nC:\\photos\\d.png,bird\n")
    own, tally = taken(tmp_path, ", labels: labels.csv")
    assert own.labels == {"a.png": ("dog",), "b.png": ("cat",), "c.v2.png": ("cat",), "d.png": ("bird",)}
    assert not tally.problems and tally.facts == ["labels: 4 of 4 images have one, of 3 classes"]


def test_subfolders_are_classes_and_two_files_of_one_name_are_two_images(tmp_path):
    draw(tmp_path, "dog/a.png", "cat/a.png", "cat/more/b.png", "a.png", ".git/x.png")
    own, tally = taken(tmp_path, ", labels: subfolders")
    assert own.ids == image_names(opened(tmp_path, ", labels: subfolders").file)
    assert own.ids == ("a.png", "cat/a.png", "cat/more/b.png", "dog/a.png")
    assert own.labels == {"cat/a.png": ("cat",), "cat/more/b.png": ("cat",), "dog/a.png": ("dog",)}
    assert tally.problems == ("a.png: it has no label in the folder that it is in",)


def test_subfolders_of_a_flat_folder_are_refused(tmp_path):
    draw(tmp_path, "a.png")
    with pytest.raises(LabelError, match="in no folder with the name of a class"):
        taken(tmp_path, ", labels: subfolders")


def test_coco_s_categories(tmp_path):
    draw(tmp_path, "a.png", "b.png")
    content = {
        "images": [{"id": 1, "file_name": "val2017/a.png"}, {"id": 2, "file_name": "b.png"}],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 2}, {"image_id": 1, "category_id": 1}],
    }
    labels(tmp_path, json.dumps(content), "instances.json")
    own, tally = taken(tmp_path, ", labels: instances.json")
    assert own.labels == {"a.png": ("cat", "dog")}
    assert tally.problems == (
        "a.png: it has several labels in instances.json, and an answer that is one of them is right",
        "b.png: it has no label in instances.json",
    )


def test_a_split_takes_its_images_only(tmp_path):
    draw(tmp_path, "a.png", "b.png", "c.png")
    labels(tmp_path, "image,label,split\na.png,dog,train\nb.png,cat,test\n")
    own, tally = taken(tmp_path, ", labels: labels.csv, split: test")
    assert own.ids == ("b.png",) and own.labels == {"b.png": ("cat",)} and not tally.problems
    assert tally.facts == ["labels: 1 of 1 images of the split test have one, of 1 classes"]
    _, tally = taken(tmp_path, ", labels: labels.csv")
    assert "has the splits train (1), test (1); images of all are taken" in tally.facts[0]


def test_bad_rows_are_a_line_each_and_the_others_go_on(tmp_path):
    draw(tmp_path, "a.png", "b.png", "x/c.png", "y/c.png", "bare.png", "two.png")
    labels(
        tmp_path,
        "image,label\na.png,dog\nb.png\ngone.png,dog\nc.png,cat\ntwo.png,cat\ntwo.png,dog\nx/c.png,bird\n",
    )
    own, tally = taken(tmp_path, ", labels: labels.csv, recursive: true")
    assert own.labels == {"a.png": ("dog",), "two.png": ("cat", "dog"), "x/c.png": ("bird",)}
    assert tally.problems == (
        "labels.csv, line 3: it has too many or too few values",
        "gone.png (line 4): there is no such image in pictures",
        "c.png (line 5): 2 images of pictures may be meant: x/c.png, y/c.png",
        "3 images: it has no label in labels.csv: b.png, bare.png, y/c.png",
        "two.png: it has several labels in labels.csv, and an answer that is one of them is right",
    )


def test_an_image_in_a_folder_below_is_found_when_folders_below_count(tmp_path):
    draw(tmp_path, "a.png", "x/c.png")
    labels(tmp_path, "image,label\na.png,dog\nc.png,cat\n")
    _, tally = taken(tmp_path, ", labels: labels.csv")
    assert (
        "c.png (line 3): there is no such image in pictures, but in a folder below: `recursive: true` takes those"
        in (tally.problems)
    )
    own, tally = taken(tmp_path, ", labels: labels.csv, recursive: true")
    assert own.labels == {"a.png": ("dog",), "x/c.png": ("cat",)} and not tally.problems


def test_labels_of_no_image_at_all_are_refused(tmp_path):
    draw(tmp_path, "a.png")
    labels(tmp_path, "image,label\nx.png,dog\ny.png,dog\n")
    with pytest.raises(LabelError, match=r"none of its 2 images is in .*pictures: x.png, y.png"):
        taken(tmp_path, ", labels: labels.csv")


@pytest.mark.parametrize(
    ("source", "more", "why"),
    [
        (", labels: labels.txt", "", "neither `subfolders` nor the name of a .csv or .json file"),
        (", labels: subfolder", "", "Did you mean 'subfolders'"),
        (", labels: subfolders, recursive: false", "", "leave `recursive` out"),
        (", labels: subfolders, split: test", "", "`split` needs `labels`: a CSV file"),
        (", split: test", "", "`split` needs `labels`: a CSV file"),
        ("", "  explain: labelled", "`explain: labelled` needs labels"),
        ("", "  explain: both", "`explain: both` needs labels"),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(tmp_path, source, more, why):
    with pytest.raises(StudyError, match=why):
        opened(tmp_path, source, more)


def test_labels_of_drawn_scenes_are_known(tmp_path):
    text = STUDY.format(source="", more="").replace("folder: pictures", "diorama: {}, labels: a.csv")
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match="of Diorama's scenes all is known"):
        read_study(tmp_path / "own.yaml")


def save(root, scenes, place):
    for scene in scenes:
        path = root / "pictures" / place(scene)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene.image).save(path)


def test_saved_scenes_have_the_answers_of_drawn_ones(tmp_path, scenes):
    drawn = opened(tmp_path)
    drawn = Workbench(drawn.settings, _with_scenes(tmp_path))
    wanted = predictions(drawn, images(drawn))
    save(tmp_path, scenes, lambda scene: f"{scene.targets[0].class_name}/{scene.id}.png")
    bench = opened(tmp_path, ", labels: subfolders", "  explain: labelled")
    found = predictions(bench, images(bench)).sort_values("view")
    assert len(found) == len(wanted) == 6
    by_class = found.groupby("target_name")[["correct"]].sum()
    assert by_class.equals(wanted.groupby("target_name")[["correct"]].sum())
    assert sorted(found["probability"]) == sorted(wanted["probability"])


def _with_scenes(root):
    text = STUDY.format(source="", more="  explain: labelled")
    text = text.replace("folder: pictures", "diorama: {singles: 6, pairs: 0}")
    (root / "drawn.yaml").write_text(text, encoding="utf-8")
    return read_study(root / "drawn.yaml")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory, scenes):
    """Six scenes: right label, wrong label, both, one the model has not beside one it has, one it has not, none."""
    root = tmp_path_factory.mktemp("mixed")
    save(root, scenes, lambda scene: f"{scene.id}.png")
    names = [f"{scene.id}.png" for scene in scenes]
    drawn = Workbench(opened(root).settings, _with_scenes(root))
    said = predictions(drawn, images(drawn))["predicted_name"].tolist()
    other = [next(n for n in ("dog", "fish") if n != one) for one in said]
    rows = [
        (0, said[0].upper()), (1, other[1]), (2, other[2]), (2, said[2]), (3, "zebra; stripes"), (3, said[3]),
        (4, "zebra; stripes"),
    ]  # fmt: skip
    labels(root, "image,label\n" + "".join(f"{names[at]},{label}\n" for at, label in rows))
    return root, names, said, other


@pytest.mark.parametrize("explain", ["predicted", "labelled", "both"])
def test_each_image_is_explained_for_what_is_asked(mixed, explain):
    root, names, said, other = mixed
    bench = opened(root, ", labels: labels.csv", f"  explain: {explain}")
    found = predictions(bench, images(bench))
    targets = found.groupby("image_id")["target_name"].agg(list).to_dict()
    labelled = [[said[0]], [other[1]], [other[2], said[2]], [said[3]], [said[4]], [said[5]]]
    wanted = labelled if explain == "labelled" else [[name] for name in said]
    if explain == "both":
        wanted = [*labelled[:1], [other[1], said[1]], *labelled[2:]]
    assert targets == dict(zip(names, wanted, strict=True))
    right = found.drop_duplicates("image_id").set_index("image_id")["correct"].to_dict()
    assert [right[name] for name in names] == [True, False, True, True, None, None]
    known = found.drop_duplicates("image_id").set_index("image_id")["label"]
    assert labels_of(known[names[0]]) == [said[0]]
    assert labels_of(known[names[3]]) == ["zebra; stripes", said[3]]
    assert labels_of(known[names[4]]) == ["zebra; stripes"] and labels_of(known[names[5]]) == []


def test_what_the_model_has_not_is_said_once_by_run_and_check(mixed):
    root, names, _, _ = mixed
    bench = opened(root, ", labels: labels.csv", "  explain: labelled")
    predictions(bench, images(bench))
    unknown = (
        f"label 'zebra; stripes' of 2 images ({', '.join(sorted(names[3:5]))}): "
        "diorama/object has no class of that name. It has 12 classes."
    )
    neither = (
        f"{names[4]}: diorama/object has no class of its label, so that its answer is neither right nor wrong"
    )
    without = f"{names[5]}: it has no label in labels.csv"
    several = "2 images: it has several labels in labels.csv, and an answer that is one of them is right: "
    said = [*bench.tally.problems, *bench.tally.facts]
    assert {unknown, neither, without} <= set(said)
    told = {row.said for row in precheck(bench.file, bench.settings)}
    assert {unknown, neither, without, "labels: 5 of 6 images have one, of 5 classes"} & set(said) <= told
    assert any(row.startswith(several) for row in told) and any(row.startswith(several) for row in said)
    assert "4 of 6 images have a label that diorama/object has" in told
