"""What several models of one study come to: from `answers_by_model`, `maps_by_model` and the maps themselves."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from tests.rederived import formulas, of_answers, of_maps
from tests.rederived.compared import Found, records
from tests.rederived.of_images import RANGES, SIGNED, UNIT, mean_columns

ASKED = (
    ("same_class", "on_object"), ("own_answer", "on_object"), ("same_class", "mask_area"), ("same_class", "centre_x"),
    ("same_class", "centre_y"),
)  # fmt: skip


def names(table):
    return list(dict.fromkeys(table["model"]))


def performance(tables, found: Found):
    """Each model's as that of a study of one."""
    for model, answers in tables["answers_by_model"].groupby("model", sort=False):
        own = tables["performance_by_model"]
        own = own[own["model"] == model].drop(columns=["model"])
        of_answers.model_performance({"answers": answers, "model_performance": own}, found)


def model_tests(tables, found: Found):
    """McNemar's test is the sign-flip test of the differences of right answers, which is asked of scipy here."""
    answers, maps, rows = (tables[name] for name in ("answers_by_model", "maps_by_model", "model_tests"))
    pairs, expected, evidence = list(combinations(names(answers), 2)), {}, {}
    for a, b in pairs:
        for metric in ("correct", "label_probability", "probability"):
            wide = answers.pivot(index="image_id", columns="model", values=metric)
            expected["answers", metric, None, None, a, b] = wide[[a, b]].astype(float).dropna()
        for method, of_method in maps.groupby("method", sort=False):
            for question, metric in ASKED:
                of = of_method[of_method[question].astype(bool)]
                index = ["image_id", "class_name"] if question == "same_class" else ["image_id"]
                wide = of.assign(value=of[metric].astype(float)).pivot_table(
                    index=index, columns="model", values="value", dropna=False
                )
                evidence["evidence", metric, question, method, a, b] = (
                    wide.reindex(columns=[a, b]).dropna().groupby("image_id").mean()
                )
    expected |= {key: values for key, values in evidence.items() if len(values)}
    key = lambda row: tuple(  # noqa: E731
        row[name] for name in ("family", "metric", "question", "method", "model_a", "model_b")
    )
    given = records(rows)
    shown = [row for row in given if row["family"] == "answers" or row["n"]]
    found.keys("model_tests", map(key, given), expected)
    for row in shown:
        first, second = expected[key(row)].to_numpy(float).T
        columns = mean_columns(None, second - first, SIGNED)
        columns["difference"] = columns.pop("mean")
        columns |= {"value_a": _mean(first), "value_b": _mean(second)}
        columns["p"], within = formulas.sign_flips(second - first)
        if row["metric"] == "correct":
            columns |= {"only_a": int((first > second).sum()), "only_b": int((second > first).sum())}
        found.check(f"model_tests {key(row)}", row, columns, {"p": within})
    for family in ("answers", "evidence"):
        own = [row for row in shown if row["family"] == family]
        found.family(f"model_tests {family}", own, lambda row: row["difference"])


def _mean(values):
    return float(values.mean()) if len(values) else None


def changed_answers(tables, found: Found):
    answers = tables["answers_by_model"].set_index(["model", "image_id"])
    expected = {
        (image, a, b)
        for a, b in combinations(names(tables["answers_by_model"]), 2)
        for image in answers.loc[a].index.intersection(answers.loc[b].index)
        if answers.loc[(a, image), "class_name"] != answers.loc[(b, image), "class_name"]
    }
    rows = records(tables["changed_answers"])
    found.keys(
        "changed_answers", ((row["image_id"], row["model_a"], row["model_b"]) for row in rows), expected
    )
    for row in rows:
        for side in "ab":
            own = answers.loc[(row[f"model_{side}"], row["image_id"])]
            correct = None if pd.isna(own["correct"]) else bool(own["correct"])
            columns = {f"probability_{side}": own["probability"], f"class_{side}": own["class_name"]}
            found.check(f"changed_answers {row['image_id']}", row, columns | {f"correct_{side}": correct})


def agreement(tables, read, found: Found):
    """Of models that see the same part of an image in the same size; others' maps are brought into one frame first."""
    cases = _cases(tables["maps_by_model"], read)
    for row in records(tables["model_agreement"]):
        a, b = (
            cases[row["method"], row[f"model_{side}"], row["image_id"], row[f"class_{side}"]] for side in "ab"
        )
        if a[0].shape != b[0].shape or not all(_shows(case) for case in (a, b)):
            continue
        first, second = (np.maximum(case[0], 0) / np.maximum(case[0], 0).sum() for case in (a, b))
        columns = {name: float(measure(a, b)) for name, measure in of_maps.PAIRS.items()}
        columns["moved_share"] = float(np.abs(first - second).sum() / 2)
        found.check(f"model_agreement {row['question']} {row['image_id']}", row, columns)


def agreement_summary(tables, read, found: Found):
    """Means over images, and for models of one frame what other images give and the p of pairing anew."""
    cases = _cases(tables["maps_by_model"], read)
    single = tables["model_agreement"]
    single = single[single["question"] == "same_class"]
    families = {}
    for row in records(tables["model_agreement_summary"]):
        families.setdefault(row["metric"], []).append(row)
        where = f"model_agreement_summary {row['method']} {row['metric']}"
        of = single[
            (single["method"] == row["method"])
            & (single["model_a"] == row["model_a"])
            & (single["model_b"] == row["model_b"])
        ]
        means = of[row["metric"]].astype(float).groupby(of["image_id"], sort=False).mean()
        bounds = RANGES.get(row["metric"], UNIT)
        found.check(where, row, mean_columns(row["metric"], means, bounds))
        images = _images(cases, of, row)
        if row["metric"] not in of_maps.PAIRS or images is None:
            continue
        low = -2.0 if row["metric"] == "rank_correlation" else -1.0
        matrix = of_maps.matrix(images, "a", "b", of_maps.PAIRS[row["metric"]])
        expected, within = of_maps.against_others(matrix, (low, -low))
        expected["difference_low"], expected["difference_high"] = expected.pop("low"), expected.pop("high")
        found.check(where, row, expected, {"p": within})
    for metric, family in families.items():
        found.family(
            f"model_agreement_summary {metric}", family, lambda row: row["difference"], repaired=True
        )


def _cases(maps, read):
    """Map, mask and ranks by method, model, image and class."""
    found = {}
    for row in records(maps):
        arrays, _ = read("maps", row["artifact"])
        values = arrays["values"].astype(float)
        found[row["method"], row["model"], row["image_id"], row["class_name"]] = (
            values, arrays["mask"].astype(bool), stats.rankdata(values),
        )  # fmt: skip
    return found


def _shows(case):
    return np.isfinite(case[0]).all() and np.ptp(case[0]) > 0


def _images(cases, rows, of):
    """By image its classes with both models' maps; None where frames differ."""
    found = {}
    for row in records(rows):
        case = {
            side: cases[of["method"], of[f"model_{side}"], row["image_id"], row[f"class_{side}"]]
            for side in "ab"
        }
        if all(_shows(one) for one in case.values()):
            found.setdefault(row["image_id"], []).append(case)
    shapes = {one[0].shape for image in found.values() for case in image for one in case.values()}
    return list(found.values()) if len(shapes) == 1 else None


def disagreements(tables, read, found: Found):
    """What the tables about several models say otherwise than their raw ones do."""
    for part in (performance, model_tests, changed_answers):
        part(tables, found)
    for part in (agreement, agreement_summary):
        part(tables, read, found)
