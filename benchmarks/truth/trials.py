"""Faithfulness, counterfactuals, drift and metric trials: how often each is decided where there is nothing to find.

Every row is a family of questions that are decided together by the product's own functions. A trial counts as decided
where any question of the family has the answer yes or no. Power is the share of trials in which one question, with the
effect that is given, has the answer yes while the others have none.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.evaluation.between_models import SAME_CLASS
from xai_assets.evaluation.comparison import metric_tests
from xai_assets.evaluation.controls import ORACLE
from xai_assets.evaluation.counterfactual_summary import FALL, counterfactual_summary
from xai_assets.evaluation.drift import measure_drift
from xai_assets.evaluation.metric_trials import METHODS, REMOVED, metric_trials
from xai_assets.evaluation.metrics import AGAINST_TRUTH
from xai_assets.evaluation.models_tested import ANSWERS, EVIDENCE, model_tests

IMAGES = (2, 3, 5, 6, 8, 10, 12, 30)

NOISE: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda drawn, shape: drawn.normal(size=shape),
    "heavy-tailed (t, 3)": lambda drawn, shape: drawn.standard_t(3, size=shape) / np.sqrt(3),
}
"""Of mean 0, variance 1 and symmetric: what an exact test by signs takes for nothing."""

EFFECTS = {"faithfulness": 1.9, "counterfactuals": 0.9, "drift": 1.5, "models": 1.5}
"""Means in standard deviations of differences. The demo has 0.9 to 2.6 for faithfulness, and 0.9 for the part removed."""

Decided = tuple[bool, bool]
"""Whether any question is decided, and whether the first is with yes."""


def rows(trials: int) -> list[dict[str, Any]]:
    """One row a family and number of images: `family`, `n`, `decided`, `se`, `power`, `effect`, `note`.

    Args:
        trials: studies that are drawn for each.
    """
    found = []
    for family, kind, draw in _families():
        effect = EFFECTS.get(kind, 1.0)
        for n in IMAGES:
            generator = np.random.default_rng([n, len(family)])
            none = [draw(generator, n, 0.0)[0] for _ in range(trials)]
            some = [draw(generator, n, effect)[1] for _ in range(trials)]
            decided = float(np.mean(none))
            found.append(
                {
                    "family": family,
                    "n": n,
                    "decided": decided,
                    "se": float(np.sqrt(max(decided * (1 - decided), 1 / trials) / trials)),
                    "power": float(np.mean(some)),
                    "effect": effect,
                    "note": _NOTES[kind],
                }
            )
    return found


_NOTES = {
    "faithfulness": "methods and controls of one level; power: one method above all by that many standard deviations",
    "counterfactuals": "falls about 0; power: one of five changes",
    "drift": "changes about 0; power: one method and measure",
    "models": "models of one quality; power: the second has more evidence on the object, or probability of the label",
    "trials": "metrics of mere chance on random maps; power: one metric that is grounding with as much noise",
    "truth": "maps of mere noise, measured against masks that hold the part: no metric may be said to order them",
}


def _families() -> Iterator[tuple[str, str, Callable[[np.random.Generator, int, float], Decided]]]:
    for named, noise in NOISE.items():
        for methods in (4, 9):
            yield (
                f"faithfulness, {methods} methods against 4 controls, {named}",
                "faithfulness",
                lambda drawn, n, effect, noise=noise, methods=methods: _faithfulness(
                    noise(drawn, (n, methods + 4)), methods, effect
                ),
            )
        yield (
            f"counterfactuals, 5 changes, {named}",
            "counterfactuals",
            lambda drawn, n, effect, noise=noise: _falls(noise(drawn, (n, 5)), effect),
        )
        yield (
            f"drift, 4 methods and 2 measures, {named}",
            "drift",
            lambda drawn, n, effect, noise=noise: _drift(noise(drawn, (n, 8)), effect),
        )
        for family in (ANSWERS, EVIDENCE):
            yield (
                f"2 models on the same images, 2 methods, {family}, {named}",
                "models",
                lambda drawn, n, effect, noise=noise, family=family: _models(drawn, noise, n, effect, family),
            )
    yield "metric trials, 9 metrics of mere chance", "trials", _trials
    yield "metric trials, metrics of the true mask on random maps", "truth", _of_truth


def _faithfulness(noise: np.ndarray, methods: int, effect: float) -> Decided:
    n, maps = noise.shape
    # A method's difference to a control has the spread of both.
    noise[:, 0] += effect * np.sqrt(2)
    names = [f"m{k}" for k in range(methods)] + [f"c{k}" for k in range(maps - methods)]
    table = pd.DataFrame(
        {
            "image_id": np.repeat([f"{i}.png" for i in range(n)], maps),
            "method": names * n,
            "is_control": [name.startswith("c") for name in names] * n,
            "metric": "srg",
            "variant": "blur",
            "value": noise.ravel() / 10,
        }
    )
    tests = metric_tests(table)
    asked = tests[tests["family"] == "controls"]
    return _any(asked), bool((asked.loc[asked["method_a"] == "m0", "answer"] == "yes").all())


def _falls(noise: np.ndarray, effect: float) -> Decided:
    n, changes = noise.shape
    noise[:, 0] += effect
    table = pd.DataFrame(
        {
            "image_id": np.repeat([f"{i}.png" for i in range(n)], changes),
            "target_index": 0,
            "change": [f"change {k}" for k in range(changes)] * n,
            "method": "gradcam",
            "is_control": False,
            "fall": noise.ravel() / 10,
            "area": 0.1,
            "energy": 0.1,
        }
    )
    summary = counterfactual_summary(table)
    falls = summary[summary["measure"] == FALL]
    return _any(falls), falls["answer"].iloc[0] == "yes"


def _drift(noise: np.ndarray, effect: float) -> Decided:
    n = len(noise)
    noise[:, 0] += effect
    before = pd.DataFrame(
        {
            "image_id": np.repeat([f"{i}.png" for i in range(n)], 4),
            "target_index": 0,
            "method": ["a", "b", "c", "d"] * n,
            "iou": 0.5,
            "average_precision": 0.5,
        }
    )
    change = noise.reshape(n, 2, 4) / 100
    after = before.assign(iou=0.5 + change[:, 0].ravel(), average_precision=0.5 + change[:, 1].ravel())
    answers = [row["answer"] for row in measure_drift(before, after, ["iou", "average_precision"])]
    return any(answer != "cannot_tell" for answer in answers), answers[0] == "yes"


def _models(drawn: np.random.Generator, noise: Any, n: int, effect: float, family: str) -> Decided:
    """Two models that are right on an image equally often; images are easy or hard for all of them."""
    names, images = ["m0", "m1"], [f"{i}.png" for i in range(n)]
    easy = np.tile(drawn.random(n), 2)
    answers = pd.DataFrame({"model": np.repeat(names, n), "image_id": images * 2})
    later = np.repeat([0, effect], n) * np.sqrt(2) / 10
    answers = answers.assign(
        correct=pd.array(drawn.random(2 * n) < easy, "boolean"),
        label_probability=easy + noise(drawn, (2 * n,)) / 10 + later,
        probability=noise(drawn, (2 * n,)) / 10,
    )
    maps = pd.concat([answers[["model", "image_id"]].assign(method=method) for method in ("a", "b")])
    maps = maps.assign(class_name="cat", same_class=True, own_answer=True)
    for metric in ("on_object", "mask_area", "centre_x", "centre_y"):
        maps[metric] = noise(drawn, (len(maps),)) / 10
    maps["on_object"] += np.tile(later, 2)
    tests = model_tests(answers, maps, names, seed=0)
    of = tests[(tests["family"] == family) & tests["question"].isin([SAME_CLASS, None])]
    asked = of[of["metric"].isin(["on_object", "label_probability"])]
    return _any(tests[tests["family"] == family]), asked["answer"].iloc[0] == "yes"


def _trials(drawn: np.random.Generator, n: int, effect: float) -> Decided:
    """Seven random maps a picture, and metrics that have nothing to do with where they lie; `effect`: but the first."""
    maps = _random_maps(drawn, n)
    grounded = (maps["energy"] - maps["energy"].mean()) / maps["energy"].std()
    values = pd.concat(
        [
            _values(maps, f"variant {k}", drawn.normal(size=len(maps)) + (effect * grounded if k == 0 else 0))
            for k in range(9)
        ]
    )
    found = metric_trials(values, maps)
    asked = found[(found["trial"] == REMOVED) & (found["over"] == METHODS)]
    return _any(asked), (asked["answer"] == "yes").iloc[0] if len(asked) else False


def _of_truth(drawn: np.random.Generator, n: int, effect: float) -> Decided:
    maps = _random_maps(drawn, n)
    values = pd.concat(
        [_values(maps, None, maps["object_energy"].to_numpy(), metric) for metric in sorted(AGAINST_TRUTH)]
    )
    found = metric_trials(values, maps)
    judged = found[(found["trial"] != "order") | (found["above"] == ORACLE)]
    return _any(judged), False


def _random_maps(drawn: np.random.Generator, n: int, methods: int = 7) -> pd.DataFrame:
    """Energies of maps of mere noise in an object and in the part inside it, as rows of counterfactuals."""
    regions = 40  # of a frame: the first are the part, these and more the object
    maps = drawn.gamma(0.5, size=(n, methods, regions))
    maps /= maps.sum(axis=-1, keepdims=True)
    part, whole = maps[..., :3].sum(axis=-1), maps[..., :8].sum(axis=-1)
    return pd.DataFrame(
        {
            "image_id": np.repeat([f"{i}.png" for i in range(n)], methods),
            "target_index": 0,
            "method": [f"m{k}" for k in range(methods)] * n,
            "is_control": False,
            "change": "part_removed",
            "fall": 0.5,
            "area": 3 / regions,
            "energy": part.ravel(),
            "object_energy": whole.ravel(),
        }
    )


def _values(maps: pd.DataFrame, variant: str | None, values: Any, metric: str = "srg") -> pd.DataFrame:
    case = maps[["image_id", "target_index", "method", "is_control"]]
    return case.assign(metric=metric, variant=variant, value=values)


def _any(rows: pd.DataFrame) -> bool:
    return bool((rows["answer"] != "cannot_tell").any())
