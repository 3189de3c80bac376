"""Trials of metrics: from their values and from pictures with one thing changed."""

import numpy as np
from scipy import stats

from tests.rederived import formulas, of_images
from tests.rederived.compared import Found, records

REMOVED, CHANGED = ("part_removed",), ("part_removed", "recoloured", "retextured", "background_replaced")
LOWER = ("deletion_auc", "average_drop")
"""Metrics of which less is better."""

OF_TRUTH = tuple(of_images.SCATTERED)


def grounding(table, changes, matters=0.1):
    """Of each case and map, the energy beyond the share of the frame, weighted by how far the probability falls."""
    table = table.astype(dict.fromkeys(("fall", "area", "energy"), float))
    counts = table[table["change"].isin(changes) & (table["fall"] >= matters) & table["energy"].notna()]
    found = {}
    for key, of in counts.groupby(["image_id", "target_index", "method"]):
        found[key] = ((of["energy"] - of["area"]) * of["fall"]).sum() / of["fall"].sum()
    return found


def correlations(values, grounded, turn):
    """One an image: the mean over its classes of the rank correlation over maps."""
    images = []
    for _, image in values.groupby("image_id", sort=False):
        cases = []
        for _, case in image.groupby("target_index", sort=False):
            rows = zip(case["image_id"], case["target_index"], case["method"], case["value"], strict=True)
            pairs = [
                (turn * value, grounded[image_id, target, method])
                for image_id, target, method, value in rows
                if (image_id, target, method) in grounded and np.isfinite(value)
            ]
            if len(pairs) >= 3:
                one, other = np.array(pairs).T
                if np.ptp(one) > 0 and np.ptp(other) > 0:
                    cases.append(stats.spearmanr(one, other).statistic)
        images.append(np.mean(cases) if cases else np.nan)
    return np.array(images)


def metric_trials(tables, found: Found):
    rows = records(tables["metric_trials"])
    where, faithful = tables["localization"], tables["faithfulness"]
    for row in rows:
        metric = row["metric"]
        turn = -1.0 if metric in LOWER else 1.0
        if metric in OF_TRUTH:
            values = where[where["truth"] == "object"].rename(columns={metric: "value"})
        else:
            values = faithful[(faithful["metric"] == metric) & (faithful["variant"] == row["variant"])]
        values = values.astype({"value": float})
        low, high = of_images.RANGES.get(metric, of_images.UNIT)
        if row["trial"] == "order":
            images = list(dict.fromkeys(values["image_id"]))
            above, below = (
                _by_image(values[values["method"] == row[side]], images) for side in ("above", "below")
            )
            asked, bounds = turn * (above - below), (low - high, high - low)
        elif row["trial"] in ("removed", "changed"):
            if row["over"] == "methods":
                values = values[~values["is_control"].astype(bool)]
            changes = REMOVED if row["trial"] == "removed" else CHANGED
            asked = correlations(values, grounding(tables["counterfactuals"], changes), turn)
            bounds = (-1.0, 1.0)
        else:
            continue  # of maps of other images
        expected = of_images.mean_columns(None, asked, bounds)
        expected["value"] = expected.pop("mean")
        expected["p"], within = formulas.sign_flips(asked)
        expected["excluded"] = len(asked) - expected["n"]
        name = f"metric_trials {metric} {row['variant']} {row['trial']} {row['over']} {row['above']} {row['below']}"
        found.check(name, row, expected, {"p": within})
    families = {}
    for row in rows:
        if row["trial"] != "placed":
            families.setdefault(tuple(row[name] for name in ("trial", "over", "above", "below")), []).append(
                row
            )
    for key, family in families.items():
        found.family(f"metric_trials {key}", family, lambda row: row["value"])


def _by_image(values, images):
    return values.groupby("image_id")["value"].mean().reindex(images).to_numpy(float)


def headline(tables, found: Found):
    """Every headline number is a row of another table, and its answer that of all its comparisons."""
    summary, tests = records(tables["metric_summary"]), records(tables["metric_tests"])
    pairs = {
        (row["method_a"], row["method_b"]): row
        for row in records(tables["agreement_summary"])
        if row["metric"] == "iou" and row["area"] is None
    }
    models = {row["model"]: row for row in records(tables["prediction_summary"])}
    layers = {(row["model"], row["layer"]): row for row in records(tables["presence_summary"])}
    for row in records(tables["headline"]):
        subject, section = row["subject"], row["section"]
        if section == "model":
            of = {**models[subject], "mean": models[subject]["accuracy"], "chance": None}
        elif section == "agreement":
            of = pairs[subject, row["other"]]
        elif section == "words":
            of = layers[subject, row["other"]]
        else:
            truth = "object" if section == "localization" else None
            (of,) = (
                one for one in summary
                if (one["metric"], one["variant"], one["truth"], one["method"])
                == (row["metric"], row["variant"], truth, subject)
            )  # fmt: skip
            if truth is None:
                of = of | {"chance": 0.0}
            controls = ("centre", "edges") if truth else ()
            asked = [
                one for one in tests
                if one["family"] == "controls" and one["method_a"] == subject
                and (one["metric"], one["variant"], one["truth"]) == (row["metric"], row["variant"], truth)
                and (not controls or one["method_b"] in controls)
            ]  # fmt: skip
            of = of | dict.fromkeys(("answer", "p_holm", "family_size"))
            if asked:
                answers = [one["answer"] for one in asked]
                told = "no" if "no" in answers else "yes" if set(answers) == {"yes"} else "cannot_tell"
                of |= {"answer": told, "p_holm": max(one["p_holm"] for one in asked)}
                of |= {"family_size": max(one["family_size"] for one in asked)}
        expected = {name: of[name] for name in ("low", "high", "interval", "n", "chance")} | {
            "value": of["mean"]
        }
        expected |= {name: of[name] for name in ("p_holm", "family_size", "answer") if name in of}
        found.check(f"headline {section} {row['metric']} {subject} {row['other']}", row, expected)
