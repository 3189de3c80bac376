"""Two models side by side: what one has learned and the other has not."""

from dataclasses import dataclass

import pandas as pd

from xai_assets.dissection.labels import normalise_label


@dataclass(frozen=True)
class ConceptSets:
    """Two sets of concepts, each list in alphabetical order.

    Attributes:
        a, b: concepts of the first and of the second model.
        shared, only_a, only_b: in both, in one only.
        jaccard: shared over all, 0..1; 1 where both are empty.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    shared: tuple[str, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    jaccard: float


def one_spelling(*tables: pd.DataFrame) -> list[pd.DataFrame]:
    """The tables with one spelling of every concept: of labels that `normalise_label` makes equal the first in order."""
    first: dict[str, str] = {}
    found = []
    for table in tables:
        spelt = [
            concept if pd.isna(concept) else first.setdefault(normalise_label(str(concept)), str(concept))
            for concept in table["concept"]
        ]
        found.append(table.assign(concept=pd.Series(spelt, index=table.index, dtype=object)))
    return found


def named_units(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand for a concept: all named units of word methods, the detectors of Network Dissection.

    A `detector` of NULL, as `unit_concepts` has it for word methods, leaves the row in.
    """
    named = table[table["concept"].notna()]
    if "detector" not in table:
        return named
    return named[[bool(pd.isna(found) or found) for found in named["detector"]]]


def counted_units(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand for a concept beyond chance; rows of methods and files that test nothing are all taken."""
    named = named_units(table)
    if "beyond_chance" not in table:
        return named
    return named[[bool(pd.isna(found) or found) for found in named["beyond_chance"]]]


def only_counted(table: pd.DataFrame) -> pd.DataFrame:
    """The table, in which units that chance explains stand for nothing; its models and layers stay."""
    numbered = table.reset_index(drop=True)
    counts = numbered.index.isin(counted_units(numbered).index)
    return table.assign(concept=table["concept"].astype(object).where(counts, None))


def compare_models(table: pd.DataFrame, a: str, b: str, *, layer: str | None = None) -> ConceptSets:
    """The concepts of two models in one method's table, over all layers or in one.

    Raises:
        ValueError: the table has no rows of one of the models.
    """
    missing = {a, b} - set(table["model"])
    if missing:
        raise ValueError(f"the table has no rows of {', '.join(sorted(missing))}")
    named = named_units(table)
    if layer is not None:
        named = named[named["layer"] == layer]
    first, second = (set(named.loc[named["model"] == model, "concept"]) for model in (a, b))
    union = first | second
    jaccard = len(first & second) / len(union) if union else 1.0
    return ConceptSets(
        a=tuple(sorted(first)),
        b=tuple(sorted(second)),
        shared=tuple(sorted(first & second)),
        only_a=tuple(sorted(first - second)),
        only_b=tuple(sorted(second - first)),
        jaccard=jaccard,
    )


def comparison_table(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """`compare_models` for all layers together (layer "all") and for each layer that both models have.

    Returns:
        layer, unique_a, unique_b, shared, only_a, only_b (counts), jaccard.
    """
    both = [
        name
        for name in dict.fromkeys(table["layer"])
        if {a, b} <= set(table.loc[table["layer"] == name, "model"])
    ]
    rows = []
    for layer in (None, *both):
        sets = compare_models(table, a, b, layer=layer)
        rows.append(
            {
                "layer": layer or "all",
                "unique_a": len(sets.a),
                "unique_b": len(sets.b),
                "shared": len(sets.shared),
                "only_a": len(sets.only_a),
                "only_b": len(sets.only_b),
                "jaccard": sets.jaccard,
            }
        )
    return pd.DataFrame(rows)


def unique_concepts(table: pd.DataFrame) -> pd.DataFrame:
    """Different concepts a model: rows model, layer ("all" first, then each layer in order), unique."""
    named, rows = named_units(table), []
    for model, own in table.groupby("model", sort=False):
        mine = named[named["model"] == model]
        rows.append({"model": model, "layer": "all", "unique": mine["concept"].nunique()})
        rows += [
            {"model": model, "layer": layer, "unique": mine.loc[mine["layer"] == layer, "concept"].nunique()}
            for layer in dict.fromkeys(own["layer"])
        ]
    return pd.DataFrame(rows, columns=["model", "layer", "unique"])


def units_per_concept(table: pd.DataFrame, *, min_count: int = 1) -> pd.DataFrame:
    """How many units of a model's layer stand for each concept.

    Returns:
        model, layer, concept, category, units; models and layers in the table's order, within a layer most units
        first and ties in alphabetical order; concepts of fewer than `min_count` units left out.
    """
    named = named_units(table).assign(category=lambda t: t["category"].fillna(""))
    counts = (
        named.groupby(["model", "layer", "concept", "category"], sort=False)
        .size()
        .rename("units")
        .reset_index()
    )
    counts = counts[counts["units"] >= min_count]
    return _in_order(counts, table, ["units", "concept", "category"], [False, True, True])


def category_shares(table: pd.DataFrame) -> pd.DataFrame:
    """The share of each category among a layer's units that stand for a concept: category by depth.

    Returns:
        model, layer, category, units, share (0..1, sums to 1 a layer); order as `units_per_concept`.
    """
    named = named_units(table).assign(category=lambda t: t["category"].fillna(""))
    counts = named.groupby(["model", "layer", "category"], sort=False).size().rename("units").reset_index()
    counts["share"] = counts["units"] / counts.groupby(["model", "layer"])["units"].transform("sum")
    return _in_order(counts, table, ["units", "category"], [False, True])


def _in_order(
    counts: pd.DataFrame, table: pd.DataFrame, by: list[str], ascending: list[bool]
) -> pd.DataFrame:
    """Sorted by model and layer as they first stand in `table`, then by columns."""
    distinct = table[["model", "layer"]].drop_duplicates()
    place = {key: at for at, key in enumerate(distinct.itertuples(index=False, name=None))}
    keys = zip(counts["model"], counts["layer"], strict=True)
    placed = counts.assign(_place=[place[key] for key in keys])
    return (
        placed.sort_values(["_place", *by], ascending=[True, *ascending])
        .drop(columns="_place")
        .reset_index(drop=True)
    )
