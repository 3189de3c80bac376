"""What a run refuses `xai check` refuses, in the same words, and what it sets aside is said there: each refusal provoked.

Not looked for beforehand, with the reason: numbers that are not finite (they show on the image that makes them), memory
(it depends on what else runs), damage of files that only the whole run reads (label maps and images beyond the first).
"""

import json

import numpy as np
import pytest
import torchvision
import yaml
from PIL import Image
from safetensors.torch import save_file

from xai_assets.analysis.activations import unit_activations
from xai_assets.analysis.concepts import clip_dissect_concepts
from xai_assets.analysis.embeddings import concept_embeddings
from xai_assets.analysis.explanations import further_cam_maps, maps
from xai_assets.analysis.images import images
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.probe import probe_set
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import FURTHER_CAMS
from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.study_file import read_study

IMAGES = {"folder": "images"}
LIME = {"num_samples": 40, "segmentation": {"name": "grid", "rows": 2, "columns": 2}}
BOXES = {
    "images": [{"id": 1, "file_name": "a.png", "width": 999, "height": 40}],
    "categories": [{"id": 1, "name": "dog"}],
    "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("both")
    for name in ("images", "masks", "coloured", "broden/images"):
        (root / name).mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    for name, size in {"a": 128, "b": 128, "c": 90}.items():
        Image.fromarray(noise[:size]).save(root / "images" / f"{name}.png")
        Image.fromarray(noise[:7, :7]).save(root / "coloured" / f"{name}.png")
        Image.fromarray(np.eye(7, dtype=np.uint8) * 255).save(root / "masks" / f"{name}.png")
    Image.fromarray(noise).save(root / "broden" / "images" / "a.png")
    tables = {
        "index": "image,sh,sw,object\na.png,128,128,gone.png", "label": "number,name\n1,dog", "category": "name\nobject",
        "c_object": "number,coverage\n1,0.5",
    }  # fmt: skip
    for name, text in tables.items():
        (root / "broden" / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    (root / "one.txt").write_text("dog\n", encoding="utf-8")
    (root / "words.txt").write_text("dog\ncat\nbird\n", encoding="utf-8")
    (root / "boxes.json").write_text(json.dumps(BOXES), encoding="utf-8")
    (root / "no.json").write_text("[]", encoding="utf-8")
    save_file(torchvision.models.alexnet(num_classes=3).state_dict(), root / "alexnet.safetensors")
    return root


def attribution(**changed):
    usual = {"model": "diorama/object", "images": IMAGES, "methods": {"gradcam": {}}, "layer": "layer4"}
    return {"attribution": usual | {"faithfulness": None, "robustness": None} | changed}


def dissection(**changed):
    usual = {
        "models": [{"model": "diorama/object", "layers": ["layer4"]}],
        "probe": IMAGES,
        "encoder": "diorama/clip",
        "concepts": "words.txt",
        "clip_dissect": {"similarity": "cos_similarity", "permutations": 99},
    }
    return {"dissection": usual | changed}


def sized(mode, **more):
    return {"name": "diorama/object", "preprocessing": {"mode": mode, **more}}


ALEXNET = {
    "name": "mine", "architecture": "torchvision/alexnet", "checkpoint": "alexnet.safetensors", "num_classes": 3,
    "preprocessing": {"mode": "squash", "size": 32},
}  # fmt: skip

REFUSED = {
    "a layer that there is none of": attribution(layer="layr4"),
    "the same of a further CAM": attribution(layer="layr4", methods={"eigencam": {}}),
    "the same of ScoreCAM": attribution(layer="layr4", methods={"scorecam": {}}),
    "a layer of vectors": attribution(layer="fc"),
    "a layer of vectors for AblationCAM": attribution(layer="fc", methods={"ablationcam": {}}),
    "a layer of vectors for a further CAM": attribution(layer="fc", methods={"layercam": {}}),
    "a size that no image has": attribution(model=sized("native", size=64)),
    "an input that is too small for the network": attribution(model=ALEXNET, layer="features"),
    "a file of boxes of another format": attribution(truth={"boxes": "no.json"}),
    "more images than there are": dissection(clip_dissect={"top_k": 100}),
    "a share of too few images": dissection(clip_dissect={"similarity": "rank_reorder", "top_fraction": 0.1}),
    "a list of one concept": dissection(concepts="one.txt"),
    "a dissected layer that there is none of": dissection(
        models=[{"model": "diorama/object", "layers": ["layr4"]}]
    ),
    "a layer named twice": dissection(models=[{"model": "diorama/object", "layers": ["fc", "fc"]}]),
    "probe images of several sizes": dissection(models=[{"model": sized("native"), "layers": ["layer4"]}]),
    "a probe image that a label map is missing of": dissection(probe={"broden": "broden"}),
    "probe images of no size that fits": dissection(
        models=[{"model": sized("native", size=64), "layers": ["fc"]}]
    ),
}
SET_ASIDE = {
    "an image of another size": attribution(model=sized("native", size=128)),
    "boxes of another size": attribution(truth={"boxes": "boxes.json"}),
    "masks of another size": attribution(truth={"masks": "masks"}),
    "masks in colours": attribution(truth={"masks": "coloured"}),
    "LIME's parameters of no image": attribution(
        methods={"lime": LIME}, lime_per_image={"d.png": {"num_samples": 2}}
    ),
    "a probe image of another size": dissection(
        models=[{"model": sized("native", size=128), "layers": ["fc"]}]
    ),
}


def opened(root, content, tmp_path):
    path = root / f"{tmp_path.name.replace('_', '-').lower()[:50]}.yaml"
    path.write_text(yaml.safe_dump({"title": "Both"} | content), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(path))


def run(bench):
    """What the steps say on the way, the error that ended them first, and whether there was one."""
    said = []
    try:
        if bench.study.attribution:
            seen = images(bench)
            asked = predictions(bench, seen)
            for method in bench.attribution.methods.chosen():
                if method in FURTHER_CAMS:
                    further_cam_maps(bench, asked, seen)
                else:
                    maps(bench, asked, seen, method)
        else:
            probe = probe_set(bench)
            heard = unit_activations(bench, probe)
            clip_dissect_concepts(bench, probe, heard, concept_embeddings(bench, probe))
    except XaiError as error:
        said.append(str(error))
    return [*said, *bench.tally.problems, *bench.tally.set_aside], bool(said)


def reason(text):
    """The longest part of a message, which is why: names and groups stand before and behind it."""
    return max(text.split(": "), key=len).split(" (so of")[0].rstrip(".")


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_run_refuses_the_check_refuses_in_its_words(folder, tmp_path, what):
    bench = opened(folder, REFUSED[what], tmp_path)
    unfit = [row.said for row in precheck(bench.file, bench.settings) if row.state == "unfit"]
    assert not (tmp_path / "data").exists()
    said, ended = run(bench)
    assert ended
    assert any(reason(row) in said[0] for row in unfit), (said, unfit)


@pytest.mark.parametrize("what", SET_ASIDE)
def test_what_the_run_sets_aside_the_check_tells_in_its_words(folder, tmp_path, what):
    bench = opened(folder, SET_ASIDE[what], tmp_path)
    told = [row.said for row in precheck(bench.file, bench.settings) if row.state in ("look", "unfit")]
    said, ended = run(bench)
    assert not ended and said
    assert any(reason(said[0]) in row for row in told), (said, told)


def test_what_the_check_passes_the_run_does(folder, tmp_path):
    bench = opened(folder, attribution(methods={"lime": LIME}, layer="not asked for"), tmp_path)
    found = precheck(bench.file, bench.settings)
    # The folder's pictures are of one colour or noise, which a network of Diorama has never seen.
    (foreign,) = [row for row in found if row.state != "ok"]
    assert foreign.state == "look" and "these are not the images that it was trained on" in foreign.said
    said, ended = run(bench)
    assert not said and not ended


def test_a_report_that_lacks_its_chapter_is_told(folder, tmp_path):
    bench = opened(folder, attribution() | {"reports": ["cam", "dissection"]}, tmp_path)
    told = [row for row in precheck(bench.file, bench.settings) if row.what == "reports"]
    assert [(row.state, row.said) for row in told] == [
        ("look", "the report dissection is not made: the study has no dissection")
    ]
