"""Wrong labels and the places of the evidence, again from probabilities, maps and masks."""

import numpy as np
from scipy import optimize
from scipy.ndimage import distance_transform_edt

from tests.rederived.compared import Found, records

REGIONS = ("object", "context", "elsewhere")


def label_quality(tables, read, found: Found):
    """The share of wrong labels and each label's probability of being wrong, where the probabilities were kept."""
    (row,) = records(tables["label_quality"])
    answers = [one for one in records(tables["answers"]) if one["label_index"] is not None]
    found.check("label_quality", row, {"labels": len(answers), "n": len(answers)})
    listed = [one for one in answers if one["label_wrong"] > 0.5]
    found.check(
        "label_quality", row, {"suspected": len(listed), "answer": "yes" if listed else row["answer"]}
    )
    if listed:
        found.check(
            "label_quality", row, {"expected_precision": np.mean([one["label_wrong"] for one in listed])}
        )
    if row["share"] is None:
        return
    try:
        kept = {one["artifact"]: read("answers", one["artifact"])[0]["probabilities"] for one in answers}
    except KeyError:
        return  # a study that was drawn without them
    logits = np.log(
        np.array([kept[one["artifact"]][int(one["artifact_row"])] for one in answers], float) + 1e-45
    )
    labels = np.array([int(one["label_index"]) for one in answers])

    def of_label(temperature):
        scores = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        return scores[np.arange(len(labels)), labels] / scores.sum(axis=1)

    def likelihood(share, temperature):
        p = of_label(temperature)
        return np.log((1 - share) * p + share * (1 - p) / (logits.shape[1] - 1) + 1e-300).sum()

    best = optimize.minimize_scalar(
        lambda share: -likelihood(share, row["temperature"]), bounds=(0, 0.5), method="bounded"
    )
    within = 1e-4 + 0.02 * row["share"]
    found.check(
        "label_quality",
        row,
        {"share": best.x if -best.fun > likelihood(0, row["temperature"]) else 0},
        {"share": within},
    )
    if listed:
        p = of_label(row["temperature"])
        exchanged = row["share"] * (1 - p) / (logits.shape[1] - 1)
        wrong = exchanged / (exchanged + (1 - row["share"]) * p)
        for one, expected in zip(answers, wrong, strict=True):
            found.check(
                f"answers {one['image_id']}", one, {"label_wrong": float(expected)}, {"label_wrong": 1e-6}
            )


def evidence(tables, read, found: Found):
    """The shares of each map on its object, around it and elsewhere."""
    maps = {(row["image_id"], row["target_index"], row["method"]): row for row in records(tables["maps"])}
    views = {(row["image_id"], row["target_index"]): row["view"] for row in records(tables["predictions"])}
    rows = records(tables["evidence_place"])
    for row in rows:
        arrays = read("views", views[row["image_id"], row["target_index"]])[0]
        inside = arrays.get("truth", arrays.get("objects")).astype(bool)
        far = distance_transform_edt(~inside)
        last = np.sort(far[~inside])[: inside.sum()].max(initial=0)
        ring = ~inside & (far <= last)
        values = read("maps", maps[row["image_id"], row["target_index"], row["method"]]["artifact"])[0][
            "values"
        ]
        positive = np.clip(values.astype(float), 0, None)
        masks = (inside, ring, ~inside & ~ring)
        shares = [
            positive[mask].sum() / positive.sum() if positive.sum() and mask.any() else None for mask in masks
        ]
        where = f"evidence_place {row['image_id']} {row['method']}"
        found.check(where, row, dict(zip(REGIONS, shares, strict=True)))
    tests = records(tables["evidence_tests"])
    for question, repaired in (("chance", True), ("on_object", True)):
        found.family(
            f"evidence_tests {question}",
            [row for row in tests if row["question"] == question],
            lambda row: row["difference"],
            repaired=repaired,
        )
    for row in tests:
        of = [one for one in rows if one["method"] == row["method"] and one[row["region"]] is not None]
        if row["question"] != "answers":
            of = [one for one in of if one[f"{row['region']}_chance"] is not None] or of
            found.check(
                f"evidence_tests {row['question']}",
                row,
                {"value": np.mean([one[row["region"]] for one in of])},
            )
            continue
        excess = {
            right: np.mean(
                [one[row["region"]] - one[f"{row['region']}_chance"] for one in of if one["correct"] is right]
            )
            for right in (True, False)
        }
        expected = {
            "value": excess[True],
            "reference": excess[False],
            "difference": excess[True] - excess[False],
        }
        found.check("evidence_tests answers", row, expected)
