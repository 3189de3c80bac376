"""Results such as a study leaves, made from scenes of the embedded world and drawn maps: plausible, never shipped."""

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from tests.reporting.plausible_answers import answers_of, performance_frames
from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.verification import REFERENCES
from xai_assets.dissection.agreement import category_agreement
from xai_assets.dissection.category_comparison import category_comparison
from xai_assets.dissection.presence_summary import presence_summary
from xai_assets.dissection.units_beyond_chance import units_beyond_chance
from xai_assets.evaluation.accuracy import is_sure, prediction_summary
from xai_assets.evaluation.agreement_summary import agreement_summary
from xai_assets.evaluation.chance import CaseMaps, ShownMap, chance_of_pairs, chance_of_truths
from xai_assets.evaluation.comparison import metric_summary, metric_tests
from xai_assets.evaluation.controls import CONTROLS, control
from xai_assets.evaluation.equal_area import iou_at_area
from xai_assets.evaluation.localization import localization_values, localize
from xai_assets.evaluation.overlap import dice, expected_iou, iou, max_attainable
from xai_assets.evaluation.ranking import rank_correlation
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import units_to_show
from xai_assets.resources.headline_view import OF
from xai_assets.resources.tables import TABLES
from xai_assets.resources.views import VIEWS
from xai_assets.resources.warehouse import Warehouse
from xai_assets.vision.geometry import Frame
from xai_assets.world.description import describe
from xai_assets.world.render import Rendered, Target, render
from xai_assets.world.vocabulary import CLASSES, VOCABULARY

POLICY = BinarisationPolicy()
# How far each method's map lies beside the truth (pixels), how wide it is, and how much noise it has.
BLUR = {
    "gradcam": (4, 9, 0.10),
    "ablationcam": (5, 10, 0.12),
    "scorecam": (9, 15, 0.25),
    "lime": (6, 8, 0.35),
}
WIDE = Frame((128, 192), (128, 128), (0.0, 32.0, 128.0, 160.0), "resize_crop")
"""How the model sees the first image: without its left and right sixth."""
LAYERS = {"layer2": 64, "layer3": 128, "layer4": 256}


class Store:
    """Artifacts in memory."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[dict[str, np.ndarray], dict[str, Any]]] = {}

    def __call__(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return self.kept[kind, key]


def plausible(
    singles: int = 9,
    pairs: int = 3,
    *,
    seed: int = 7,
    layers: dict[str, int] = LAYERS,
    wrong: str = "scene-004",
) -> StudyResults:
    """Everything that a study of the embedded world has: 12 images, 15 target classes, two dissected models.

    The image `wrong`, where there is one of that name, gets a wrong answer.
    """
    generator = np.random.default_rng(seed)
    store = Store()
    scenes = [render(describe("test", i)) for i in range(singles)]
    scenes += [render(describe("test", i, targets=2)) for i in range(pairs)]
    tables: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("images", "predictions", "maps", "mask_agreement", "localization")
    }
    for number, scene in enumerate(scenes):
        name = f"{'pair' if len(scene.targets) > 1 else 'scene'}-{number:03d}"
        _explain(scene, name, tables, store, generator, wrong=name == wrong)
    tables["images"].append(
        _image(
            'holiday "snap".jpg',
            None,
            status="quarantined",
            reason="the file ends in the middle of the picture. Copy it again from its source.",
        )
    )
    frames = {name: pd.DataFrame(rows) for name, rows in tables.items()}
    frames["prediction_summary"] = prediction_summary(frames["predictions"])
    frames |= performance_frames(answers_of(frames["predictions"]))
    frames |= _summaries(frames, store)
    dissected = _dissected(generator, layers)
    frames["headline"] = _headline(frames | dissected)
    frames["verification_summary"] = _verified(frames["maps"])
    study = {
        "name": "demo",
        "title": "Two small classifiers of a drawn world",
        "description": "Both Diorama classifiers are dissected at layer2, layer3 and layer4 and compared; the object "
        "classifier is explained on twelve fresh scenes, three of them with two targets.",
        "seed": seed,
        "created": "2026-01-31T12:00:00Z",
        "command": "xai run demo",
        "layer": "layer4",
        "min_iou": 0.04,
        "yaml": "title: Two small classifiers of a drawn world\nseed: 7\n",
        "reports": ["dissection", "comparison", "cam", "lime", "study"],
        "lineage": {
            "Models": {"diorama/object": "sha256 " + "1f" * 32, "diorama/scene": "sha256 " + "a7" * 32},
            "Versions": {"torch": "2.15.0", "numpy": "2.4.0"},
        },
    }
    results = StudyResults(study=study, **frames, **dissected, artifact=store)
    return replace(results, unit_pictures=_pictures(results, scenes, generator))


def _summaries(frames: dict[str, pd.DataFrame], store: Store) -> dict[str, pd.DataFrame]:
    """Means, chance and tests of agreement and localisation, as a load of the tables makes them."""
    blocks: dict[tuple[str, int], dict[str, Any]] = {}
    for row in frames["maps"].to_dict("records"):
        arrays, _ = store("maps", row["artifact"])
        shown = ShownMap.of(arrays["values"], arrays["mask"].astype(bool))
        blocks.setdefault((row["image_id"], row["target_index"]), {})[row["method"]] = shown
    images = list(dict.fromkeys(image for image, _ in blocks))
    views = {
        (row["image_id"], row["target_index"]): row["view"]
        for row in frames["predictions"].to_dict("records")
    }
    cases = [
        CaseMaps(
            images.index(case[0]), maps,
            {"object": store("views", views[case])[0]["truth"].astype(bool).ravel()},
        )
        for case, maps in blocks.items()
    ]  # fmt: skip
    chance = chance_of_truths([cases], list(BLUR))
    values = localization_values(frames["localization"])
    return {
        "agreement_summary": agreement_summary(
            frames["mask_agreement"],
            pd.DataFrame(columns=["area"]),
            chance_of_pairs([cases], list(BLUR)),
        ),
        "metric_summary": metric_summary(values, chance),
        "metric_tests": metric_tests(values, chance),
    }


def _verified(maps: pd.DataFrame) -> pd.DataFrame:
    """Two maps of each method held against the libraries, and LIME's left out for what the study asks of it."""
    rows = [
        {
            "method": method, "library": REFERENCES[method].named, "maps": 2, "not_compared": 0,
            "made": int((maps["method"] == method).sum()), "largest_difference": 2.4e-7 * (1 + number),
            "image_id": maps["image_id"].iloc[0], "target_name": maps["target_name"].iloc[0],
            "tolerance": REFERENCES[method].tolerance, "tolerance_reason": REFERENCES[method].reason,
            "verdict": "within", "note": None,
        }
        for number, method in enumerate(BLUR)
    ]  # fmt: skip
    nothing = dict.fromkeys(["largest_difference", "image_id", "target_name"])
    said = "the study asks for bfloat16, and lime computes in float32"
    rows[-1] |= {"maps": 0, "not_compared": 2, "verdict": "not_compared", "note": said} | nothing
    return pd.DataFrame(rows)


def _headline(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The view of that name, which DuckDB makes of the tables."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "warehouse.duckdb")
        warehouse.replace(
            "demo", {name: frames[name].reindex(columns=list(TABLES[name].columns)) for name in OF}
        )
        return warehouse.read("demo")["headline"]


def _image(name: str, scene: Rendered | None, **changes: Any) -> dict[str, Any]:
    known = scene is not None
    return {
        "image_id": name,
        "source": name,
        "width": 128 if known else None,
        "height": 128 if known else None,
        "mode": "RGB" if known else None,
        "label": ";".join(t.class_name for t in scene.targets) if scene else None,
        "status": "ok",
        "reason": None,
        "sha256": "ab" * 32 if known else None,
        "picture": None,
    } | changes


def _wide(scene: Rendered, name: str, store: Store) -> dict[str, Any]:
    """The image of which the model sees the middle alone: what `images` has of it."""
    height, width = WIDE.original
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[:, 32:160] = scene.image
    store.kept["pictures", f"picture-{name}"] = ({"pixels": pixels}, {})
    return {"width": width, "picture": f"picture-{name}"}


def _explain(
    scene: Rendered,
    name: str,
    tables: dict[str, list[dict[str, Any]]],
    store: Store,
    generator: np.random.Generator,
    *,
    wrong: bool,
) -> None:
    cropped = name.endswith("000")
    tables["images"].append(_image(name, scene, **_wide(scene, name, store) if cropped else {}))
    labels = ";".join(target.class_name for target in scene.targets)
    best = (
        float(generator.uniform(0.7, 0.999))
        if len(scene.targets) == 1
        else float(generator.uniform(0.5, 0.7))
    )
    for rank, target in enumerate(scene.targets, 1):
        index = CLASSES.index(target.class_name)
        case = {"image_id": name, "target_index": index, "target_name": target.class_name}
        view_key = f"view-{name}-{index}"
        meta = {"frame": WIDE.to_dict()} if cropped else {}
        store.kept["views", view_key] = ({"view": scene.image, "truth": target.mask.astype(np.uint8)}, meta)
        predicted = "chair" if wrong else scene.targets[0].class_name
        tables["predictions"].append(
            {
                **case,
                "target_rank": rank,
                "probability": 0.21 if wrong else best if rank == 1 else 1 - best - 0.02,
                "predicted_index": CLASSES.index(predicted),
                "predicted_name": predicted,
                "predicted_probability": best,
                "sure": is_sure(best),
                "label": labels,
                "correct": not wrong,
                "seen": WIDE.seen() if cropped else 1.0,
                "preprocessing": "pixels as they are; mean 0.5, 0.5, 0.5; standard deviation 0.25, 0.25, 0.25",
                "input_low": -2.1,
                "input_high": 2.6,
                "domain": "0 of 12 images lie farther from the scenes that it knows than 95% of such scenes do",
                "in_domain": True,
                "input_check": "ok",
                "model": "diorama/object",
                "model_sha256": "1f" * 32,
                "view": view_key,
            }
        )
        explained = []
        for method in BLUR:
            values, extras = _map(scene, target.mask, method, generator)
            mask, threshold = binarise(values, POLICY)
            explained.append((method, values, mask))
            key = f"map-{name}-{index}-{method}"
            meta = {"details": {"r2": float(generator.uniform(0.35, 0.9))} if method == "lime" else {}}
            store.kept["maps", key] = ({"values": values, "mask": mask.astype(np.uint8), **extras}, meta)
            tables["maps"].append(
                {
                    **case,
                    "method": method,
                    "layer": None if method == "lime" else "layer4",
                    "policy": POLICY.policy,
                    "policy_value": POLICY.value,
                    "threshold": threshold,
                    "density": float(mask.mean()),
                    "raw_min": float(values.min()),
                    "raw_max": float(values.max()),
                    "constant": False,
                    "seed": 7,
                    "seconds": {"gradcam": 0.012, "lime": 2.4}.get(method, 0.31),
                    "device": "cpu",
                    "peak_memory_mib": {"gradcam": 812, "lime": None}.get(method, 1304),
                    "artifact": key,
                    "parameters": json.dumps(
                        {"num_samples": 1000, "segmentation": {"name": "slic", "n_segments": 60}}
                        if method == "lime"
                        else {}
                    ),
                }
            )
            _locate(tables["localization"], case, method, values, mask, scene, target)
        for key in CONTROLS:
            values = control(key, scene.image, seed=7, image_id=name)
            mask, _ = binarise(values, POLICY)
            _locate(tables["localization"], case, key, values, mask, scene, target, is_control=True)
        for i, (a, values_a, mask_a) in enumerate(explained):
            for b, values_b, mask_b in explained[i + 1 :]:
                p, q = float(mask_a.mean()), float(mask_b.mean())
                tables["mask_agreement"].append(
                    {
                        **case,
                        "method_a": a,
                        "method_b": b,
                        "policy": POLICY.policy,
                        "iou": iou(mask_a, mask_b),
                        "chance_iou": expected_iou(p, q),
                        "attainable_iou": max_attainable(p, q),
                        "iou_matched": iou_at_area(values_a, values_b, min(p, q)),
                        "chance_iou_matched": expected_iou(min(p, q), min(p, q)),
                        "dice": dice(mask_a, mask_b),
                        "density_a": p,
                        "density_b": q,
                        "rank_correlation": rank_correlation(values_a, values_b),
                    }
                )


def _locate(
    rows: list[dict[str, Any]],
    case: dict[str, Any],
    method: str,
    values: np.ndarray,
    mask: np.ndarray,
    scene: Rendered,
    target: Target,
    *,
    is_control: bool = False,
) -> None:
    every = np.any([other.mask for other in scene.targets], axis=0)
    truths = {"part": target.deciding_part, "object": target.mask, "all_objects": every}
    for name, truth in truths.items():
        found = {"truth": name, "method": method, "is_control": is_control, "policy": POLICY.policy}
        rows.append({**case, **found, **localize(values, mask, truth)})


def _map(
    scene: Rendered, truth: np.ndarray, method: str, generator: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    offset, width, noise = BLUR[method]
    shifted = np.roll(truth.astype(float), generator.integers(-offset, offset + 1, 2), (0, 1))
    values = gaussian_filter(shifted, width)
    values = values / values.max() + noise * gaussian_filter(generator.standard_normal(truth.shape), 10) * 30
    if method != "lime":
        return values.astype(np.float32), {}
    cells = np.indices(truth.shape) // 16
    segments = (cells[0] * 8 + cells[1]).astype(np.int32)
    weights = np.array([values[segments == s].mean() for s in range(64)])
    weights = weights - np.median(weights)
    painted = np.maximum(weights, 0)[segments].astype(np.float32)
    return painted, {"segments": segments, "weights": weights.astype(np.float64)}


NETWORKS = {"networks": 20, "found_network": 9, "found_shuffled": 2, "p_network": 1 / 21}


def _dissected(generator: np.random.Generator, layers: dict[str, int]) -> dict[str, pd.DataFrame]:
    depth = {"layer2": (1, 2, 1, 3, 5, 6), "layer3": (3, 5, 2, 3, 3, 3), "layer4": (8, 7, 3, 1, 1, 1)}
    clip, pixels, summary = [], [], []
    for model, favours in (("diorama/object", 0), ("diorama/scene", 2)):
        for layer, units in layers.items():
            weights = np.array(depth[layer], dtype=float)
            weights[favours] *= 4
            best, words = [], []
            for unit in range(units):
                category = str(generator.choice(list(VOCABULARY), p=weights / weights.sum()))
                concept = str(generator.choice(VOCABULARY[category][:14]))
                dead = generator.random() < 0.02
                overlap = None if dead else float(generator.beta(2, 9) * (1 + int(layer[-1]) / 8))
                key = {"model": model, "layer": layer, "unit": unit}
                pixels.append(
                    {
                        **key,
                        "concept": None if dead else concept,
                        "category": None if dead else category,
                        "iou": overlap,
                        "threshold": None if dead else 1.5,
                        "detector": not dead and overlap > 0.04,
                        "dead": dead,
                        "attainable_iou": 0.8,
                        "coverage": 0.03,
                        "q": None if dead else min(1.0, 0.002 / max(overlap, 1e-3)),
                        "beyond_chance": not dead and overlap > 0.04,
                        **NETWORKS,
                    }
                )
                same = generator.random() < 0.55
                word = (
                    concept if same else str(generator.choice([*CLASSES, "cathedral", "violin", "glacier"]))
                )
                known = word in {w for words_ in VOCABULARY.values() for w in words_}
                presence = (
                    None if dead else float(np.clip(generator.normal(0.75 if same else 0.3, 0.15), 0, 1))
                )
                clip.append(
                    {
                        **key,
                        "concept": None if dead else word,
                        "category": None if dead else (category if same else "object" if known else ""),
                        "score": None if dead else float(generator.normal(4, 1)),
                        "runner_up": None if dead else "hill",
                        "gap": None if dead else float(generator.exponential(0.4)),
                        "dead": dead,
                        "max_activation": 0.0 if dead else 3.0,
                        "top_images": "a;b;c;d;e",
                        "truth_presence": presence,
                        "base_rate": None if dead else 0.15,
                        "chance_presence": None if dead else 0.2,
                        "q": None if dead else float(generator.random() ** 4),
                        "presence_tested": 0.5,
                        "p_presence": 0.01,
                        "presence_seen": 0.55,
                        "presence_shuffled": 0.3,
                        "p_presence_network": 1 / 21,
                        **NETWORKS,
                    }
                )
                best.append(pixels[-1])
                clip[-1]["beyond_chance"] = not dead and clip[-1]["q"] < 0.05
                words.append(clip[-1])
            alive = [row for row in words if not row["dead"]]
            summary.append(
                {
                    "model": model,
                    "layer": layer,
                    "units": units,
                    "dead": sum(row["dead"] for row in best),
                    "detectors": sum(row["detector"] for row in best),
                    "unique_detectors": len({row["concept"] for row in best if row["detector"]}),
                    "clip_unique": len({row["concept"] for row in alive}),
                    "truth_presence": float(np.mean([row["truth_presence"] for row in alive])),
                    "base_rate": 0.15,
                    "chance_presence": 0.2,
                    "agreement": float(
                        np.mean([a["concept"] == b["concept"] for a, b in zip(best, words, strict=True)])
                    ),
                }
            )
    health = [
        ("images", "1,000 of 1,000 could be read", "ok"),
        ("concepts without an image", "3: cone, rug, mast", "warn"),
        ("encoder, zero-shot objects", "0.93 on fresh scenes", "ok"),
    ]
    words, labels = pd.DataFrame(clip), pd.DataFrame(pixels)
    return {
        "clip_dissect": _shown("clip_dissect", words),
        "netdissect": _shown("netdissect", labels),
        "category_agreement": category_agreement(words, labels),
        "category_comparison": category_comparison(words, labels),
        "presence_summary": presence_summary(words),
        "units_beyond_chance": units_beyond_chance(words, labels),
        "layer_summary": pd.DataFrame(summary),
        "probe_health": pd.DataFrame(health, columns=["key", "value", "level"]),
    }


def _shown(view: str, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of a view; the methods' own tables have others as well."""
    return table[[column for column in table.columns if column in VIEWS[view].columns]]


def _pictures(
    results: StudyResults, scenes: list[Rendered], generator: np.random.Generator
) -> dict[Any, Any]:
    found = {}
    for row in units_to_show(results).to_dict("records"):
        chosen = [scenes[i] for i in generator.choice(len(scenes), 5, replace=len(scenes) < 5)]
        found[row["model"], row["layer"], row["unit"]] = (
            np.stack([scene.image for scene in chosen]),
            np.stack([gaussian_filter(scene.targets[0].mask.astype(float), 3) > 0.5 for scene in chosen]),
        )
    return found
