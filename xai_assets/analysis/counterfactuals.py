"""What the classifier really uses: scenes of the embedded world with one thing changed, and where the maps look then.

A map is right about the model where it lies on what the model's answer hangs on, and no mask of an object says what that
is. A pair of pictures that differ in one known thing does.
"""

from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.images import SPLIT
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.controls import every_control
from xai_assets.evaluation.ranking import energy_in_mask
from xai_assets.files import fingerprint
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.outputs import probabilities
from xai_assets.world.counterfactual import CHANGES, variants
from xai_assets.world.images import study_scenes
from xai_assets.world.render import render
from xai_assets.world.scene import SceneDescription

KIND = "counterfactuals"
CODE_VERSION = 1


def counterfactuals(bench: Workbench, predictions: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    """The warehouse's table `counterfactuals`; empty where the study's images are no scenes of the embedded world.

    Of pictures with two targets the first is changed, and target classes other than its own have no rows.
    """
    columns = list(TABLES["counterfactuals"].columns)
    source = bench.attribution.images.diorama
    if source is None:
        return pd.DataFrame(columns=columns)
    classifier = explained_classifier(bench)
    scenes = study_scenes(SPLIT, source.singles, source.pairs)
    first = {scene.id: scene.targets[0].class_name for scene in scenes}
    asked = {
        row["image_id"]: row
        for row in predictions.to_dict("records")
        if first.get(row["image_id"]) == row["target_name"]
    }
    rows: list[dict[str, Any]] = []
    for done, scene in enumerate(scenes, 1):
        if scene.id in asked:
            rows += _rows(bench, classifier, scene, asked[scene.id], maps)
        bench.progress(done, len(scenes))
    return pd.DataFrame(rows, columns=columns)


def _rows(
    bench: Workbench,
    classifier: Classifier,
    scene: SceneDescription,
    case: dict[str, Any],
    maps: pd.DataFrame,
) -> list[dict[str, Any]]:
    after, regions = _changed(bench, classifier, scene, case)
    shown = _shown(bench, scene, case, maps)
    rows = []
    for change, probability, region in zip(CHANGES, after, regions, strict=True):
        fall = case["probability"] - float(probability)
        common = {
            "image_id": scene.id,
            "target_index": case["target_index"],
            "target_name": case["target_name"],
            "change": change,
            "probability": case["probability"],
            "changed_probability": float(probability),
            "fall": fall,
            "area": float(region.mean()),
        }
        for method, is_control, values in shown:
            energy = energy_in_mask(values, region) if values is not None and region.any() else None
            rows.append({**common, "method": method, "is_control": is_control, "energy": energy})
    return rows


def _shown(
    bench: Workbench, scene: SceneDescription, case: dict[str, Any], maps: pd.DataFrame
) -> list[tuple[str, bool, np.ndarray | None]]:
    """The case's maps and controls: name, whether it is a control, and h w values; None where a map shows nothing."""
    mine = maps[(maps["image_id"] == scene.id) & (maps["target_index"] == case["target_index"])]
    found = [read_map(bench, row)[0] for row in mine.to_dict("records")]
    arrays = bench.store.get("views", case["view"])[0]
    controls = every_control(
        arrays["view"], arrays["truth"].astype(bool), seed=bench.study.seed, image_id=scene.id
    )
    return [
        *((one.method, False, one.values if one.usable else None) for one in found),
        *((name, True, values) for name, values in controls.items()),
    ]


def _changed(
    bench: Workbench, classifier: Classifier, scene: SceneDescription, case: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """The class's probability after each change, float64 (c,), and which pixels of the view it alters, bool (c h w)."""
    key = fingerprint(
        {
            "code": CODE_VERSION,
            "view": case["view"],
            "weights": classifier.fingerprint,
            "preprocessing": classifier.preprocessing.fingerprint(),
            "target": int(case["target_index"]),
            "changes": list(CHANGES),
        }
    )
    if bench.store.has(KIND, key):
        bench.tally.reused += 1
    else:
        view = bench.store.get("views", case["view"])[0]["view"]
        views = np.stack(
            [classifier.preprocessing.view(render(changed).image) for changed in variants(scene).values()]
        )
        logits = classifier.logits(classifier.preprocessing.from_view(views))  # changes k
        after = probabilities(logits.double().cpu())[:, int(case["target_index"])].numpy()
        altered = (views != view).any(axis=-1)  # changes h w
        bench.store.put(KIND, key, {"after": after, "altered": altered.astype(np.uint8)}, {"scene": scene.id})
        bench.tally.computed += 1
    arrays, _ = bench.store.get(KIND, key)
    return arrays["after"], arrays["altered"].astype(bool)
