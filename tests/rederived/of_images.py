"""Means over images, their intervals, and tests on the same images: from the tables of single maps."""

import math
from itertools import combinations

import numpy as np
import pandas as pd

from tests.rederived import formulas
from tests.rederived.compared import Found, records

UNIT, SIGNED, UNBOUNDED = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
RANGES = {"srg": SIGNED, "road": SIGNED, "rank_correlation": SIGNED, "randomisation_similarity": SIGNED}
RANGES |= dict.fromkeys(("max_sensitivity", "noise_floor", "redrawn"), UNBOUNDED)
"""Of what a metric can be; all others lie in 0..1."""

SHARES = ("pointing", "increase_in_confidence")
"""Metrics whose values are mostly 0 or 1."""

NO_RANKING = ("randomisation_similarity", "noise_floor", "redrawn")
ORACLE = "oracle"
SCATTERED = {
    "iou": "chance_iou", "iou_matched": "chance_ap", "average_precision": "chance_ap",
    "pointing": "chance_pointing", "energy": "chance_energy",
}  # fmt: skip


def long_of(tables):
    """Every value of every metric: image, method, is_control, metric, variant, truth, value, scattered."""
    parts = []
    where = tables["localization"]
    for metric, column in SCATTERED.items():
        part = where[["image_id", "method", "is_control", "truth"]].copy()
        part["metric"], part["value"] = metric, where[metric].astype(float)
        part["variant"] = where["policy"] if metric == "iou" else None
        given = where[column].astype(float)
        part["scattered"] = given / (2 - given) if metric == "iou_matched" else given
        parts.append(part)
    for name in ("faithfulness", "robustness"):
        table = tables[name]
        part = table[["image_id", "method", "is_control", "metric", "variant"]].copy()
        part["value"] = table["value"].astype(float)
        part["truth"], part["scattered"] = None, np.nan
        parts.append(part)
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def mean_columns(metric, values, bounds=None):
    """mean, low, high, n of values that are one an image."""
    kept = formulas.finite(values)
    low, high = (
        (formulas.exact_share(kept.sum(), len(kept)) if len(kept) > 1 else formulas.NOTHING)
        if metric in SHARES
        else formulas.hall(kept, bounds or RANGES.get(metric, UNIT))
    )
    return {"mean": float(kept.mean()) if len(kept) else None, "low": low, "high": high, "n": len(kept)}


class Question:
    """The values of a metric, variant and truth: one an image (NaN where nothing was measured) and method."""

    def __init__(self, values):
        self.images = list(dict.fromkeys(values["image_id"]))
        self.control = dict(zip(values["method"], values["is_control"].astype(bool), strict=True))
        self.of = {
            method: own.groupby("image_id")["value"].mean().reindex(self.images).to_numpy(float)
            for method, own in values.groupby("method", sort=False)
        }
        known = values[values["value"].notna() & values["scattered"].notna()]
        by_image = known.groupby(["method", "image_id"])["scattered"].mean()
        self.scattered = by_image.groupby("method").mean().to_dict()


def questions(long):
    """By metric, variant and truth."""
    return {
        tuple(None if pd.isna(part) else part for part in key): Question(values)
        for key, values in long.groupby(["metric", "variant", "truth"], sort=False, dropna=False)
    }


def metric_summary(tables, found: Found):
    asked, rows = questions(long_of(tables)), records(tables["metric_summary"])
    key = lambda row: (row["metric"], row["variant"], row["truth"])  # noqa: E731
    every = {(*question, method) for question, values in asked.items() for method in values.of}
    found.keys("metric_summary", ((*key(row), row["method"]) for row in rows), every)
    for row in rows:
        values = asked[key(row)]
        expected = mean_columns(row["metric"], values.of[row["method"]])
        expected |= {
            "excluded": len(values.images) - expected["n"],
            "is_control": values.control[row["method"]],
            "chance_scattered": values.scattered.get(row["method"]),
        }
        found.check(f"metric_summary {key(row)} {row['method']}", row, expected)


def metric_tests(tables, found: Found):
    long, families = long_of(tables), {}
    for row in records(tables["metric_tests"]):
        families.setdefault((row["metric"], row["variant"], row["truth"], row["family"]), []).append(row)
    for key, values in questions(long[~long["metric"].isin(NO_RANKING)]).items():
        methods = [name for name in values.of if not values.control[name]]
        asked = {
            "methods": list(combinations(methods, 2)),
            "controls": [(a, b) for a in methods for b in values.of if values.control[b] and b != ORACLE],
            "oracle": [(a, ORACLE) for a in methods if ORACLE in values.of],
        }
        for family, pairs in asked.items():
            own, where = families.pop((*key, family), []), f"metric_tests {key} {family}"
            found.keys(where, ((row["method_a"], row["method_b"]) for row in own), pairs)
            for row in own:
                _tested(row, values.of[row["method_a"]] - values.of[row["method_b"]], where, found)
            found.family(where, own, lambda row: row["difference"])
    for key, own in families.items():  # what is left is against other images: see `of_maps`
        found.keys("metric_tests", [key[3]], ["chance"])
        found.family(f"metric_tests {key}", own, lambda row: row["difference"], repaired=True)


def _tested(row, differences, where, found: Found):
    low, high = RANGES.get(row["metric"], UNIT)
    kept = formulas.finite(differences)
    expected = mean_columns(None, kept, (low - high, high - low))
    expected["difference"] = expected.pop("mean")
    p, within = formulas.sign_flips(kept)
    spread = kept.std(ddof=1) if len(kept) > 1 else 0
    expected |= {
        "excluded": len(differences) - len(kept),
        "p": p,
        "effect": formulas.rank_biserial(kept),
        "standardised": float(kept.mean() / spread) if spread > 0 else None,
    }
    found.check(f"{where} {row['method_a']}, {row['method_b']}", row, expected, {"p": within})


def counterfactual_summary(tables, found: Found, matters=0.1):
    table, rows = tables["counterfactuals"], records(tables["counterfactual_summary"])
    table = table.astype(dict.fromkeys(("fall", "area", "energy"), float)) if len(table) else table
    families = {"fall": [], "energy_that_counts": []}
    for row in rows:
        of = table[table["change"] == row["change"]] if row["change"] else table[table["fall"] >= matters]
        if row["measure"] == "fall":
            once = of.groupby(["image_id", "target_index"])["fall"].first()
            values = once.groupby("image_id").mean().to_numpy()
            reference, bounds, excluded = np.zeros(len(values)), SIGNED, 0
        else:
            of = of[of["method"] == row["method"]]
            seen = of[of["energy"].notna()].groupby("image_id")[["energy", "area"]].mean()
            values, reference, bounds = seen["energy"].to_numpy(), seen["area"].to_numpy(), UNIT
            excluded = of["image_id"].nunique() - len(seen)
        expected = mean_columns(None, values, bounds) | {"excluded": excluded}
        expected["reference"] = float(reference.mean()) if len(reference) else None
        within = 0.0
        if row["measure"] == "fall" or (row["measure"] in families and not row["is_control"]):
            expected["p"], within = formulas.sign_flips(values - reference)
            families[row["measure"]].append(row)
        else:
            expected |= dict.fromkeys(("p", "p_holm", "answer"))
        where = f"counterfactual_summary {row['measure']} {row['change']} {row['method']}"
        found.check(where, row, expected, {"p": within})
    for measure, family in families.items():
        excess = lambda row: None if row["mean"] is None else row["mean"] - row["reference"]  # noqa: E731
        found.family(f"counterfactual_summary {measure}", family, excess)


def curve_means(tables, found: Found):
    point = ["method", "baseline", "pixel_order", "fraction"]
    table, rows = tables["faithfulness_curves"], records(tables["faithfulness_curve_means"])
    of_points = dict(list(table.groupby(point))) if len(table) else {}
    found.keys("faithfulness_curve_means", (tuple(row[name] for name in point) for row in rows), of_points)
    for row in rows:
        key = tuple(row[name] for name in point)
        values = of_points[key].groupby("image_id")["score"].mean()
        expected = mean_columns(None, values, UNIT)
        found.check(f"faithfulness_curve_means {key}", row, expected)


def prediction_summary(tables, found: Found):
    once = tables["predictions"].drop_duplicates(["model", "image_id"])
    for row in records(tables["prediction_summary"]):
        of = once[once["model"] == row["model"]]
        known = of["correct"].dropna().astype(bool)
        low, high = formulas.exact_share(int(known.sum()), len(known)) if len(known) > 1 else formulas.NOTHING
        expected = {
            "images": len(of), "labelled": len(known), "correct": int(known.sum()), "low": low, "high": high,
            "unknown": len(set(of.dropna(subset="label")["image_id"]) - set(of.dropna(subset="correct")["image_id"])),
            "accuracy": known.sum() / len(known) if len(known) else None, "n": len(known),
            "excluded": len(of) - len(known), "unsure": int((of["predicted_probability"] <= 0.5).sum()),
        }  # fmt: skip
        found.check(f"prediction_summary {row['model']}", row, expected)


def randomisation_veto(tables, found: Found):
    table = tables["robustness"]
    if not len(table):
        return
    whole = table[(table["metric"] == "randomisation_similarity") & (table["depth"] == 1)]
    for row in records(tables["randomisation_veto"]):
        of = whole[whole["method"] == row["method"]]
        values = of["value"].astype(float)
        means = values.groupby(of["image_id"]).mean()
        expected = mean_columns("randomisation_similarity", means)
        mean = expected.pop("mean")
        chance = of["chance"].astype(float)
        expected |= {
            "similarity": mean, "alive": int(values.notna().sum()), "excluded": int(means.isna().sum()),
            "vetoed": None if mean is None else mean > row["above"],
            "vanished": int((values.isna() & chance.notna()).sum()),
            "constant": int((values.isna() & chance.isna()).sum()),
        }  # fmt: skip
        found.check(f"randomisation_veto {row['method']}", row, expected)


def stability_summary(tables, found: Found):
    """How far maps move over how far maps drawn anew would: sums over images, tested by signs of differences."""
    table, asked = tables["robustness"], []
    for row in records(tables["stability_summary"]):
        of = table[table["method"] == row["method"]].astype({"value": float})
        moved, anew = (
            of[of["metric"] == name].groupby("image_id")["value"].mean()
            for name in (row["measure"], "redrawn")
        )
        both = pd.concat([moved, anew], axis=1).dropna().to_numpy()
        low, high = formulas.fieller(*both.T)
        expected = {
            "mean": both[:, 0].mean(), "redrawn": both[:, 1].mean(), "share": both[:, 0].sum() / both[:, 1].sum(),
            "low": None if low is None else max(low, 0.0), "high": high, "n": len(both),
            "excluded": len(set(moved.index) | set(anew.index)) - len(both),
        }  # fmt: skip
        within = 0.0
        if row["measure"] == "max_sensitivity" and not row["is_control"]:
            expected["p"], within = formulas.sign_flips(both[:, 1] - both[:, 0])
            asked.append(row)
        else:
            expected |= dict.fromkeys(("p", "answer"))
        found.check(f"stability_summary {row['measure']} {row['method']}", row, expected, {"p": within})
    found.family("stability_summary", asked, lambda row: row["redrawn"] - row["mean"])


def agreement_means(tables, found: Found):
    """Means and decisions of agreement; what other images give is of maps: see `of_maps`."""
    single, sweep = tables["mask_agreement"], tables.get("agreement_sweep", pd.DataFrame())
    families = {}
    for row in records(tables["agreement_summary"]):
        metric, area = row["metric"], row["area"]
        families.setdefault((metric, area), []).append(row)
        of = single if area is None else sweep[np.isclose(sweep["area"].astype(float), area)]
        pair = {row["method_a"], row["method_b"]}
        of = of[[{a, b} == pair for a, b in zip(of["method_a"], of["method_b"], strict=True)]]
        values = of["iou" if area is not None else metric].astype(float)
        means = values.groupby(of["image_id"]).mean()
        expected = mean_columns(metric, means) | {"excluded": int(means.isna().sum())}
        matched = "chance_iou_matched" if area is None else "chance_iou"
        scattered = {"iou": "chance_iou", "dice": "chance_iou", "iou_matched": matched}.get(metric)
        given = of[scattered].astype(float) if scattered else values * 0
        given = (2 * given / (1 + given) if metric == "dice" else given).where(values.notna())
        level = given.groupby(of["image_id"]).mean().mean()
        expected["chance_scattered"] = None if np.isnan(level) else float(level)
        found.check(f"agreement_summary {metric} {area} {sorted(pair)}", row, expected)
    for key, family in families.items():
        found.family(f"agreement_summary {key}", family, lambda row: row["difference"], repaired=True)
