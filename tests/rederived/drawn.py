"""A whole study whose raw tables have all that real ones have: several classes an image, ties, gaps, constant maps."""

import numpy as np
import pandas as pd

from tests.reporting.plausible import BLUR, plausible
from tests.reporting.plausible_answers import drawn_answers, performance_frames
from xai_assets.evaluation.controls import CONTROLS

FAITHFUL = (("srg", "blur"), ("srg", "mean"), ("deletion_auc", "blur"), ("increase_in_confidence", "zero"))
CHANGES = ("part_removed", "recoloured", "moved")


def raw(results, seed=3):
    """The tables that `plausible` has not: of what the model does, drawn for its images and classes."""
    generator = np.random.default_rng(seed)
    cases = results.predictions[["image_id", "target_index", "target_name"]].to_dict("records")
    who = [(name, False) for name in BLUR] + [(name, True) for name in (*CONTROLS, "oracle")]
    faithful, robust, curves, changed = [], [], [], []
    for case in cases:
        for at, (method, is_control) in enumerate(who):
            row = case | {"method": method, "is_control": is_control}
            gap = method == "scorecam" and case is cases[0]
            for metric, variant in FAITHFUL:
                value = 0.5 - 0.05 * at + 0.1 * generator.normal()
                if metric == "increase_in_confidence":
                    value = float(value > 0.3)
                value = None if gap else float(np.clip(value, 0, 1))
                faithful.append(
                    row | {"metric": metric, "variant": variant, "value": value, "artifact": None}
                )
            for fraction in (0.0, 0.5, 1.0):
                point = {"baseline": "blur", "pixel_order": "morf", "fraction": fraction}
                score = (1 - fraction) * generator.beta(6, 2)
                curves.append(row | point | {"score": score})
            if case["image_id"].startswith("scene"):
                robust += _robust(row, method, is_control, generator)
            for change in CHANGES:
                fall = {"part_removed": 0.5, "recoloured": 0.1, "moved": 0.0}[change]
                fall += 0.1 * np.sin(hash_of(case["image_id"] + change))  # the model's, whatever the method
                energy = None if gap else float(generator.beta(2, 4))
                found = {"change": change, "probability": 0.9, "changed_probability": 0.9 - float(fall)}
                found |= {"fall": float(fall), "area": 0.08, "energy": energy}
                changed.append(row | found)
    return {
        "faithfulness": pd.DataFrame(faithful),
        "faithfulness_curves": pd.DataFrame(curves),
        "robustness": pd.DataFrame(robust),
        "counterfactuals": pd.DataFrame(changed),
        **performance_frames(drawn_answers()),
    }


def hash_of(text):
    return sum(ord(letter) * place for place, letter in enumerate(text, 1))


def _robust(row, method, is_control, generator):
    dead = method == "gradcam" and row["image_id"].endswith("1")
    shared = row | {"variant": None, "depth": None, "chance": None}
    moved = 0.0 if is_control else float(generator.gamma(2, 0.01))
    similar = None if dead else 1.0 if is_control else float(generator.uniform(-0.2, 0.4))
    return [
        shared | {"metric": "max_sensitivity", "value": moved},
        shared | {"metric": "noise_floor", "value": 0.1 if method == "lime" else 0.0},
        shared | {"metric": "redrawn", "value": None if dead else float(generator.uniform(0.5, 1.2))},
        shared
        | {
            "metric": "randomisation_similarity",
            "variant": "conv1",
            "depth": 1.0,
            "value": similar,
            "chance": 0.3,
        },
    ]


def study(singles=5, pairs=2, layers=None):
    """(results, raw tables): seven images, so that every pattern of signs and every pairing is tried."""
    results = plausible(singles, pairs, layers=layers or {"layer3": 24, "layer4": 36})
    return results, raw(results)
