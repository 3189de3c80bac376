"""What the units of each model have learned: layers, categories by depth, concepts, and the strongest units."""

from typing import Any

import pandas as pd

from xai_assets.dissection.unit_concepts import CLIP_DISSECT, NETDISSECT
from xai_assets.reporting import concept_sentences, figures, names
from xai_assets.reporting.doubts import doubts
from xai_assets.reporting.numbers import in_order, present, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import UNIT_RULE, units_to_show

Row = dict[str, Any]
CONCEPTS_SHOWN = 8


def dissection(results: StudyResults, pictures: Pictures, *, cards: bool = True) -> Row:
    """The chapter's data: `models` (layers, categories, concepts, cards), `health` and `rule`."""
    chosen = units_to_show(results) if cards else pd.DataFrame(columns=["model", "layer", "unit"])
    models = in_order(
        [
            *_column(results.layer_summary, "model"),
            *_column(results.clip_dissect, "model"),
            *_column(results.netdissect, "model"),
        ]
    )
    return {
        "models": [_model(results, pictures, model, chosen[chosen["model"] == model]) for model in models],
        "health": records(results.probe_health),
        "rule": UNIT_RULE,
    }


def _column(table: pd.DataFrame, name: str) -> list[str]:
    return list(table[name]) if len(table) else []


def _of(table: pd.DataFrame, model: str, layer: str | None = None) -> pd.DataFrame:
    if not len(table):
        return table
    chosen = table[table["model"] == model]
    return chosen if layer is None else chosen[chosen["layer"] == layer]


def _model(results: StudyResults, pictures: Pictures, model: str, chosen: pd.DataFrame) -> Row:
    layers = records(_of(results.layer_summary, model))
    for row in layers:
        row["presence"] = _row(results.presence_summary, model, row["layer"])
        beyond = _of(results.units_beyond_chance, model, row["layer"])
        row["words_beyond"], row["labels_beyond"] = (
            _row(beyond[beyond["method"] == method], model, row["layer"]) if len(beyond) else None
            for method in (CLIP_DISSECT, NETDISSECT)
        )
    deepest = layers[-1] if layers else None
    sentences = [concept_sentences.layer(row) for row in layers]
    sentences += [
        concept_sentences.beyond(row) for row in layers[-1:] if row["words_beyond"] or row["labels_beyond"]
    ]
    if deepest is not None:
        sentences.append(concept_sentences.presence(f"In {deepest['layer']}", deepest["presence"]))
    return {
        "name": model,
        "doubts": doubts(results, model),
        "layers": layers,
        "sentences": sentences,
        "categories_pixels": _categories(_detectors(_of(results.netdissect, model))),
        "categories_words": _categories(_alive(_of(results.clip_dissect, model))),
        "agreement": _agreement(results, model),
        "concepts": _concepts(results, model),
        "cards": [_card(results, pictures, row) for row in records(chosen)],
    }


def _row(table: pd.DataFrame, model: str, layer: str) -> Row | None:
    rows = records(_of(table, model, layer))
    return rows[0] if rows else None


def _alive(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["dead"].astype(bool) & table["concept"].notna()] if len(table) else table


def _detectors(table: pd.DataFrame) -> pd.DataFrame:
    return (
        table[table["detector"].fillna(False).astype(bool) & table["concept"].notna()]
        if len(table)
        else table
    )


def _categories(table: pd.DataFrame) -> list[Row]:
    """By layer, how many units stand for a concept of each category; categories in a fixed order."""
    if not len(table):
        return []
    keys = table["category"].fillna("").astype(str)
    order = [*names.CATEGORIES, *sorted(set(keys) - set(names.CATEGORIES))]
    rows = []
    for layer in in_order(table["layer"]):
        counts = keys[table["layer"] == layer].value_counts()
        rows.append(
            {
                "label": layer,
                "total": int(counts.sum()),
                "parts": [
                    {"category": key, "count": int(counts.get(key, 0))} for key in order if counts.get(key, 0)
                ],
            }
        )
    return rows


def _agreement(results: StudyResults, model: str) -> list[Row]:
    """By category of the pixel label, over all layers: how often the word says the same; in the categories' order."""
    rows = records(_of(results.category_agreement, model))
    order = list(names.CATEGORIES)
    whole = [row for row in rows if row["layer"] is None]
    return sorted(whole, key=lambda row: (order + [row["category"]]).index(row["category"]))


def _concepts(results: StudyResults, model: str) -> list[Row]:
    """The concepts of the deepest layer that most units stand for, by both methods; ties by name."""
    pixels, words = _detectors(_of(results.netdissect, model)), _alive(_of(results.clip_dissect, model))
    rows = []
    for title, table, score in (("pixel labels", pixels, "iou"), ("CLIP-Dissect", words, "score")):
        if not len(table):
            continue
        layer = in_order(table["layer"])[-1]
        last = table[table["layer"] == layer]
        groups = sorted(last.groupby("concept"), key=lambda item: (-len(item[1]), str(item[0])))
        listed = [
            {
                "concept": str(concept),
                "units": len(group),
                "best": float(max(present(group[score]), default=0.0)),
                "category": str(group["category"].iloc[0]) if group["category"].notna().iloc[0] else "",
            }
            for concept, group in groups[:CONCEPTS_SHOWN]
        ]
        rows.append(
            {
                "method": title,
                "layer": layer,
                "score": "best IoU" if score == "iou" else "best score",
                "different": len(groups),
                "units": len(last),
                "concepts": listed,
            }
        )
    return rows


def _card(results: StudyResults, pictures: Pictures, key: Row) -> Row:
    model, layer, unit = str(key["model"]), str(key["layer"]), int(key["unit"])
    pixels = _unit(_of(results.netdissect, model, layer), unit)
    words = _unit(_of(results.clip_dissect, model, layer), unit)
    kept = results.unit_pictures.get((model, layer, unit))
    shown = []
    if kept is not None:
        images, regions = kept
        for rank in range(min(len(images), 5)):
            inside = None if regions is None else regions[rank].astype(bool)
            area = (
                ""
                if inside is None
                else f"; the unit is above its threshold in {inside.mean():.0%} of the frame"
            )
            alt = f"Picture {rank + 1} of those that drive unit {unit} of {layer} most{area}."
            shown.append(pictures.add(figures.region(images[rank], inside), alt))
    return {"model": model, "layer": layer, "unit": unit, "pixels": pixels, "words": words, "pictures": shown}


def _unit(table: pd.DataFrame, unit: int) -> Row | None:
    rows = records(table[table["unit"] == unit]) if len(table) else []
    return rows[0] if rows else None
