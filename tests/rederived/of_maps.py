"""What maps of other images give, from the maps: levels of chance, differences, and the test that pairs anew."""

import math

import numpy as np
from scipy import stats
from sklearn.metrics import average_precision_score

from tests.rederived import formulas
from tests.rederived.compared import Found, records


def cases_of(tables, read):
    """Of each image its target classes: maps, masks and ranks by method, and the object's true mask."""
    views = {(row["image_id"], row["target_index"]): row["view"] for row in records(tables["predictions"])}
    images = {}
    for row in records(tables["maps"]):
        key = (row["image_id"], row["target_index"])
        arrays, _ = read("maps", row["artifact"])
        case = images.setdefault(key[0], {}).setdefault(key, {})
        values = arrays["values"].astype(float)
        case[row["method"]] = (values, arrays["mask"].astype(bool), stats.rankdata(values))
        case["truth"] = read("views", views[key])[0]["truth"].astype(bool)
    return [list(cases.values()) for cases in images.values()]


def shows(case, method):
    values = case[method][0]
    return np.isfinite(values).all() and np.ptp(values) > 0


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


PAIRS = {
    "iou": lambda a, b: iou(a[1], b[1]),
    "dice": lambda a, b: dice(a[1], b[1]),
    "rank_correlation": lambda a, b: np.corrcoef(a[2], b[2])[0, 1],
}
TRUTHS = {
    "iou": lambda found, truth: iou(found[1], truth),
    "average_precision": lambda found, truth: average_precision_score(truth.ravel(), found[0].ravel()),
    "energy": lambda found, truth: np.maximum(found[0], 0)[truth].sum() / np.maximum(found[0], 0).sum(),
}


def matrix(images, one, other, measure):
    """A measure of every image's `one` with every image's `other`; the k-th class goes with the k-th, in turns."""
    found = np.empty((len(images), len(images)))
    for i, first in enumerate(images):
        for j, second in enumerate(images):
            together = range(max(len(first), len(second)))
            found[i, j] = np.mean(
                [measure(first[k % len(first)][one], second[k % len(second)][other]) for k in together]
            )
    return found


def against_others(found, bounds):
    """Difference of the diagonal and the rest, Arvesen's (1969) interval over pseudo-values, and p."""
    n = len(found)

    def difference(left):
        part = found[np.ix_(left, left)]
        rest = part[~np.eye(len(left), dtype=bool)]
        return np.trace(part) / len(left) - rest.mean()

    every = np.arange(n)
    whole = difference(every)
    p, within = formulas.repairings(found)
    low, high = formulas.NOTHING
    if n >= formulas.FEWEST_VALUES:
        pseudo = n * whole - (n - 1) * formulas.without_each(difference, every)
        if not formulas.equal(pseudo):
            reach = stats.t.ppf((1 + formulas.LEVEL) / 2, n - 1) * stats.sem(pseudo)
            low, high = formulas.cut((whole - reach, whole + reach), bounds)
    return {
        "chance": float(found[~np.eye(n, dtype=bool)].mean()), "difference": float(whole), "low": low, "high": high,
        "p": p,
    }, within  # fmt: skip


def attainable(images, one, other):
    """Mean over images of the most that masks of these sizes can have."""
    return float(np.mean([np.mean([_most(case[one][1], case[other]) for case in cases]) for cases in images]))


def _most(a, b):
    sizes = sorted((a.sum(), (b if isinstance(b, np.ndarray) else b[1]).sum()))
    return sizes[0] / sizes[1]


def agreement(tables, read, found: Found):
    images = cases_of(tables, read)
    for row in records(tables["agreement_summary"]):
        if row["metric"] not in PAIRS or row["area"] is not None:
            continue
        a, b, metric = row["method_a"], row["method_b"], row["metric"]
        both = [[case for case in cases if shows(case, a) and shows(case, b)] for cases in images]
        both = [cases for cases in both if cases]
        low = -2.0 if metric == "rank_correlation" else -1.0
        expected, within = against_others(matrix(both, a, b, PAIRS[metric]), (low, -low))
        expected["difference_low"], expected["difference_high"] = expected.pop("low"), expected.pop("high")
        if metric == "iou":
            expected["attainable"] = attainable(both, a, b)
        found.check(f"agreement_summary {metric} {a}, {b}", row, expected, {"p": within})


def localisation(tables, read, found: Found):
    images = cases_of(tables, read)
    summary = {
        (row["metric"], row["method"]): row
        for row in records(tables["metric_summary"])
        if row["truth"] == "object"
    }
    for row in records(tables["metric_tests"]):
        if row["family"] != "chance" or row["truth"] != "object" or row["metric"] not in TRUTHS:
            continue
        method, metric = row["method_a"], row["metric"]
        own = [[case for case in cases if shows(case, method)] for cases in images]
        expected, within = against_others(
            matrix([cases for cases in own if cases], method, "truth", TRUTHS[metric]), (-1.0, 1.0)
        )
        chance = expected.pop("chance")
        where = f"metric_tests chance {metric} {method}"
        found.check(where, row, expected, {"p": within})
        found.check(where, summary[metric, method], {"chance": chance})
        assert math.isfinite(chance)
