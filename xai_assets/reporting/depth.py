"""What the last layers of two models are about: the share of their units in each category, with intervals."""

from typing import Any

from xai_assets.dissection.unit_concepts import CLIP_DISSECT, NETDISSECT
from xai_assets.reporting import concept_sentences, names
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

METHODS = ((CLIP_DISSECT, "CLIP-Dissect’s words"), (NETDISSECT, "pixel labels"))


def depth(results: StudyResults, a: str, b: str) -> list[Row]:
    """One block a method: `method`, `layer_a`, `layer_b`, `rows` and `sentence`; methods without rows are left out.

    A row is one of `category_comparison`: a category with its share of all units of either model's last layer, as `a`
    and `b`, and their difference.
    """
    table, found = results.category_comparison, []
    for method, title in METHODS:
        if not len(table):
            continue
        own = table[(table["method"] == method) & (table["model_a"] == a) & (table["model_b"] == b)]
        rows = [_row(row) for row in records(own)]
        rows.sort(key=lambda row: list(names.CATEGORIES).index(row["category"]))
        if rows:
            first = records(own)[0]
            block = {
                "method": title,
                "layer_a": first["layer_a"],
                "layer_b": first["layer_b"],
                "all_a": first["all_a"],
                "all_b": first["all_b"],
                "rows": rows,
            }
            found.append(block | {"sentence": concept_sentences.depths(block, a, b)})
    return found


def _row(row: Row) -> Row:
    return {
        "category": row["category"],
        "a": {"mean": row["share_a"], "low": row["low_a"], "high": row["high_a"], "units": row["units_a"]},
        "b": {"mean": row["share_b"], "low": row["low_b"], "high": row["high_b"], "units": row["units_b"]},
        "difference": {
            "mean": row["difference"],
            **{name: row[name] for name in ("low", "high", "interval", "n")},
        },
        **{name: row[name] for name in ("p", "p_holm", "family_size", "fewest", "answer")},
    }
