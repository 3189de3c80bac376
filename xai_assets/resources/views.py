"""The views of the warehouse: what people and reports read of its tables, declared like these.

Views in the file are brought up to date with every write, and reports compute them anew from what the file has, so that
they are never older than the code. A view has a column `place` where its rows have an order: models, layers and units as
they were loaded. Every query ends with an order, so that a plain `FROM view` gives the same rows in the same order.
"""

from dataclasses import dataclass

from xai_assets.resources import headline_view

BASE = "unit_concepts"
"""The table that the views of units are made of."""

PLACE = "place"
"""The column that puts a view's rows in order; `Warehouse.read` sorts by it and leaves it out."""

_PLACE = "orders the rows: models, layers and units as they were loaded"
_UNIT = {
    "study": "the study",
    "model": "the dissected model",
    "layer": "the module's path",
    "unit": "the unit, counted from 0",
    "concept": "the concept it stands for; NULL for a dead unit",
    "category": "the concept's category",
}
_NULL = {
    "null_mean": "mean score of the concept over random orderings of the images",
    "null_std": "standard deviation of the same",
    "z": "(score - null_mean) / null_std; NULL where null_std is 0",
    "p": "permutation p-value of the score",
    "q": "false-discovery rate (Benjamini-Hochberg) over the layer's units",
    "p_shuffled": "share of the layer's active units in networks with shuffled weights that reach such a score",
    "q_shuffled": "false-discovery rate at which the unit still counts against shuffled networks",
    "beyond_chance": "whether neither other images nor shuffled networks explain it, see unit_concepts",
}
_LAYER = {
    "study": "the study",
    "model": "the dissected model",
    "method": "the method, as in unit_concepts",
    "layer": "the module's path",
}

_NAMED = "concept IS NOT NULL AND detector IS DISTINCT FROM FALSE"
"""A unit stands for a concept: every named one, and of those with pixel labels the detectors only."""

_BEYOND = f"{_NAMED} AND beyond_chance IS DISTINCT FROM FALSE"
"""Of these, those whose concept chance does not explain; of rows that nothing was tested of, all."""


@dataclass(frozen=True)
class View:
    """A view: what a row is, columns with comments, the query with its columns in that order, and the tables it reads."""

    comment: str
    columns: dict[str, str]
    query: str
    of: tuple[str, ...] = (BASE,)


def _select(columns: dict[str, str], *, of: str, renamed: dict[str, str] | None = None) -> str:
    names = {PLACE: "rowid"} | (renamed or {})
    chosen = ", ".join(f'{names[name]} AS "{name}"' if name in names else f'"{name}"' for name in columns)
    return f"SELECT {chosen} FROM unit_concepts WHERE method = '{of}' ORDER BY rowid"


_CLIP = {
    **_UNIT,
    "score": "how well the concept fits: soft-WPMI in nats, or the similarity of score_name",
    "runner_up": "the second best concept",
    "gap": "score of the best less that of the second",
    **_NULL,
    "dead": "the unit never fires on the probe set",
    "max_activation": "largest pooled activation on the probe set",
    "top_images": "the five images that drive it most, joined by ';' (within a name: '\\;')",
    "truth_presence": "share of its top images that truly show the concept",
    "chance_presence": "mean of the same in the layer for words that are chosen for images in another order",
    "base_rate": "share of all probe images that show it",
    PLACE: _PLACE,
}
_NET = {
    **_UNIT,
    "iou": "intersection over union with the label over the probe set, 0 to 1",
    "runner_up": "the label that it overlaps second most",
    "gap": "IoU of the best less that of the second",
    **_NULL,
    "threshold": "the activation above which the unit counts as on",
    "detector": "IoU above the study's minimum",
    "dead": "the unit never fires on the probe set",
    "attainable_iou": "largest IoU that the label's coverage admits",
    "coverage": "share of the labelled pixels that carry the label",
    PLACE: _PLACE,
}

VIEWS: dict[str, View] = {
    "headline": View(
        "one row a headline number: those of a report's front page and of the end of a run",
        headline_view.COLUMNS,
        headline_view.QUERY,
        headline_view.OF,
    ),
    "clip_dissect": View(
        "one row a unit: CLIP-Dissect's concept, computed here", _CLIP, _select(_CLIP, of="clip_dissect")
    ),
    "netdissect": View(
        "one row a unit: the pixel label that its activation overlaps most, computed here",
        _NET,
        _select(_NET, of="netdissect", renamed={"iou": "score"}),
    ),
    "concepts_by_layer": View(
        "one row a model, method and layer, and one for all its layers together: units and different concepts",
        {
            **_LAYER,
            "layer": "the module's path; NULL for all layers together",
            "units": "units",
            "dead": "units that never fire; NULL where a file does not say",
            "named": "units that stand for a concept",
            "unique_concepts": "different concepts among them",
            PLACE: _PLACE,
        },
        f"""
        SELECT study, model, method, layer, count(*) AS units,
               if(count(dead) = 0, NULL, count(*) FILTER (dead)) AS dead,
               count(*) FILTER ({_NAMED}) AS named,
               count(DISTINCT concept) FILTER ({_NAMED}) AS unique_concepts,
               -- all layers together stand before the first of them
               min(rowid) - if(grouping(layer) = 1, 0.5, 0) AS place
        FROM unit_concepts
        GROUP BY GROUPING SETS ((study, model, method, layer), (study, model, method))
        ORDER BY place
        """,
    ),
    "units_per_concept": View(
        "one row a model, method, layer and concept: how many units stand for it",
        {
            **_LAYER,
            "concept": "the concept",
            "category": "its category",
            "units": "units that stand for it",
        },
        f"""
        SELECT study, model, method, layer, concept, category, count(*) AS units
        FROM unit_concepts WHERE {_NAMED} GROUP BY ALL
        ORDER BY min(rowid)
        """,
    ),
    "category_shares": View(
        "one row a model, method, layer and category: the share of the layer's named units",
        {
            **_LAYER,
            "category": "the category; empty where a word has none",
            "units": "units that stand for a concept of it",
            "share": "units over all units of the layer that stand for a concept, 0 to 1",
            "depth": "the layer's place among its model's, from 0, as they were loaded",
        },
        f"""
        WITH depths AS (
            SELECT study, model, method, layer,
                   row_number() OVER (PARTITION BY study, model, method ORDER BY min(rowid)) - 1 AS depth
            FROM unit_concepts GROUP BY study, model, method, layer
        ), counts AS (
            SELECT study, model, method, layer, coalesce(category, '') AS category, count(*) AS units
            FROM unit_concepts WHERE {_NAMED} GROUP BY ALL
        )
        SELECT study, model, method, layer, category, units,
               units / sum(units) OVER (PARTITION BY study, model, method, layer) AS share, depth
        FROM counts JOIN depths USING (study, model, method, layer)
        ORDER BY study, model, method, depth, category
        """,
    ),
    "models_compared": View(
        "one row a pair of models, method and layer that both have, and one for all layers together: the concepts of "
        "their units beyond chance",
        {
            "study": "the study",
            "method": "the method, as in unit_concepts",
            "model_a": "the model that was loaded first",
            "model_b": "the other model",
            "layer": "the module's path; NULL for all layers together",
            "named_a": "units of the first model that stand for a concept",
            "counted_a": "those of them beyond chance, which alone are compared",
            "named_b": "units of the other model that stand for a concept",
            "counted_b": "those of them beyond chance",
            "unique_a": "different concepts of the first model",
            "unique_b": "different concepts of the other model",
            "shared": "concepts of both",
            "only_a": "concepts of the first alone",
            "only_b": "concepts of the other alone",
            "jaccard": "shared over all, 0 to 1; 1 where both have none",
            PLACE: _PLACE,
        },
        f"""
        WITH sets AS (
            SELECT study, method, model, layer,
                   coalesce(list(DISTINCT concept) FILTER ({_BEYOND}), []) AS concepts,
                   count(*) FILTER ({_NAMED}) AS named, count(*) FILTER ({_BEYOND}) AS counted,
                   min(rowid) - if(grouping(layer) = 1, 0.5, 0) AS place
            FROM unit_concepts
            GROUP BY GROUPING SETS ((study, method, model, layer), (study, method, model))
        ), ordered AS (
            SELECT *, min(place) OVER (PARTITION BY study, method, model) AS model_place FROM sets
        ), pairs AS (
            SELECT a.study, a.method, a.model AS model_a, b.model AS model_b, a.layer,
                   a.named AS named_a, a.counted AS counted_a, b.named AS named_b, b.counted AS counted_b,
                   len(a.concepts) AS unique_a, len(b.concepts) AS unique_b,
                   len(list_intersect(a.concepts, b.concepts)) AS shared, a.place
            FROM ordered a JOIN ordered b ON a.study = b.study AND a.method = b.method
                 AND a.layer IS NOT DISTINCT FROM b.layer AND a.model_place < b.model_place
        )
        SELECT study, method, model_a, model_b, layer, named_a, counted_a, named_b, counted_b, unique_a, unique_b, shared,
               unique_a - shared AS only_a, unique_b - shared AS only_b,
               if(unique_a + unique_b = 0, 1, shared / (unique_a + unique_b - shared)) AS jaccard, place
        FROM pairs ORDER BY place, model_b
        """,
    ),
}
