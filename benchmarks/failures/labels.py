"""Moved labels of the embedded world: how many are listed, how many of those listed are moved, and what was stated."""

from typing import Any

import numpy as np

from benchmarks.failures.scenes import answered, moved, probabilities_of, scenes
from xai_assets.evaluation.performance import confusions

SCENES, ALL, STUDIES = 1000, 2000, 20
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)


def rows(scenes_: int = SCENES, all_: int = ALL, studies: int = STUDIES) -> list[dict[str, Any]]:
    """Means over studies, each of some of the test scenes, by the share of labels that are moved and where to."""
    examples = scenes("test", all_)
    probabilities = probabilities_of("diorama/object", examples.images)
    found = []
    for share in SHARES:
        for anywhere in (False, True) if share else (False,):
            of = [
                one_study(probabilities, examples.target, scenes_, share, seed=seed, anywhere=anywhere)
                for seed in range(studies)
            ]
            found.append(
                {
                    "moved": f"{share:.0%}"
                    + (" to any class" if anywhere else " to the next" if share else ""),
                    **{name: _mean([one[name] for one in of]) for name in of[0]},
                }
            )
    return found


def one_study(
    probabilities: np.ndarray,
    labels: np.ndarray,
    count: int,
    share: float,
    *,
    seed: int,
    anywhere: bool = False,
) -> dict[str, Any]:
    """What is listed in one study, and what confident learning lists where `cleanlab` is installed."""
    chosen = np.random.default_rng([seed, 1]).permutation(len(labels))[:count]
    given, truly = moved(labels[chosen], share, seed=seed, anywhere=anywhere)
    table, result = answered(probabilities[chosen], given, seed=seed)
    listed = table["label_suspected"].to_numpy(bool)
    pairs = confusions(table)
    ranked = pairs[pairs["error_rank"].notna()]
    mistakes = int(((table["predicted_index"] != table["label_index"]) & ~truly).sum())
    row = {
        "listed": int(listed.sum()),
        "recall": _share(listed[truly]),
        "precision": _share(truly[listed]),
        "stated recall": result.recall,
        "stated precision": result.precision,
        "mistakes of the model": mistakes,
        "called confusions": int((ranked["images"] - ranked["suspected"]).sum()),
    }
    theirs = confident_learning(probabilities[chosen], given)
    if theirs is not None:
        row |= {"recall of cleanlab": _share(theirs[truly]), "precision of cleanlab": _share(truly[theirs])}
    return row


def confident_learning(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray | None:
    """What `cleanlab` lists by the rule that it has by default, n bool; None where it is not installed."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        return None
    return np.asarray(find_label_issues(labels, probabilities.astype(np.float64)), dtype=bool)


def _share(of: np.ndarray) -> float | None:
    return float(of.mean()) if len(of) else None


def _mean(values: list[Any]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else None
