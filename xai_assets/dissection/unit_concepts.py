"""One table for what every method says of every unit: the rows of the warehouse's `unit_concepts`.

Here stands which columns it has and how each method's own table becomes rows of it. Reading files of other tools stands
in `interop`.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

CLIP_DISSECT, NETDISSECT = "clip_dissect", "netdissect"
CLIP_DISSECT_IMPORT, NETDISSECT_IMPORT, MILAN_IMPORT = (
    "clip_dissect_import",
    "netdissect_import",
    "milan_import",
)
COMPUTED = (CLIP_DISSECT, NETDISSECT)
"""Methods of this package; a run replaces their rows and no others."""

METHODS = (*COMPUTED, CLIP_DISSECT_IMPORT, NETDISSECT_IMPORT, MILAN_IMPORT)
WORDS = (CLIP_DISSECT, CLIP_DISSECT_IMPORT, MILAN_IMPORT)
"""Methods that give words."""

LABELS = (NETDISSECT, NETDISSECT_IMPORT)
"""Methods that give pixel labels, and tell detectors."""

SOURCE_COMPUTED = "computed"
SOFT_WPMI, IOU = "soft_wpmi", "iou"

_UNIT = ("model", "layer", "unit", "concept", "category")
_NULL = ("null_mean", "null_std", "z", "p", "q")
_SHUFFLED = ("p_shuffled", "q_shuffled", "beyond_chance")
NETWORK_FACTS = ("networks", "found_network", "found_shuffled", "p_network")
"""Of a layer, the same in all its rows: shuffled networks, units that count against these, the most that count in one of
them, and its network's rank; see `dissection.shuffled_null`."""

PRESENCE_FACTS = (
    "presence_tested", "p_presence", "presence_seen", "presence_shuffled", "p_presence_network",
)  # fmt: skip
"""Of a layer, the same in all its rows: how often words are truly present among the units that are tested, and the p of
their permutation test; and on the images that shuffled networks were shown, in this network and on average in those,
and the rank."""

CLIP_COLUMNS = (
    *_UNIT,
    "score",
    "runner_up",
    "gap",
    *_NULL,
    *_SHUFFLED,
    "dead",
    "max_activation",
    "top_images",
    "truth_presence",
    "chance_presence",
    "base_rate",
)
"""Columns of CLIP-Dissect's own table that are of units."""

CLIP_TABLE = (*CLIP_COLUMNS, *NETWORK_FACTS, *PRESENCE_FACTS)
"""All of them."""

NET_COLUMNS = (
    *_UNIT,
    "iou",
    "runner_up",
    "gap",
    *_NULL,
    *_SHUFFLED,
    "threshold",
    "detector",
    "dead",
    "attainable_iou",
    "coverage",
)
"""Columns of Network Dissection's own table that are of units."""

NET_TABLE = (*NET_COLUMNS, *NETWORK_FACTS)
"""All of them."""

COLUMNS = (
    "model",
    "layer",
    "unit",
    "method",
    "source",
    "concept",
    "category",
    "score",
    "score_name",
    "runner_up",
    "gap",
    *_NULL,
    *_SHUFFLED,
    "dead",
    "detector",
    "threshold",
    "attainable_iou",
    "coverage",
    "max_activation",
    "top_images",
    "truth_presence",
    "chance_presence",
    "base_rate",
)
"""Columns of `unit_concepts`, after `study`."""

_DTYPES = (
    dict.fromkeys(("model", "layer", "method", "source"), "string")
    | dict.fromkeys(("concept", "category", "score_name", "runner_up", "top_images"), "string")
    | {"unit": "Int64"}
    | dict.fromkeys(("dead", "detector", "beyond_chance"), "boolean")
)


def unit_rows(rows: Iterable[Mapping[str, object]] | pd.DataFrame, **same: object) -> pd.DataFrame:
    """A table of `COLUMNS` with nullable types; what `rows` do not have is NULL.

    Args:
        rows: any of the columns; others are left out.
        same: columns that have one value in all rows.
    """
    table = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows)).assign(**same)
    table = table.reindex(columns=list(COLUMNS))
    return table.astype({name: _DTYPES.get(name, "Float64") for name in COLUMNS})


def computed_concepts(clip: pd.DataFrame, net: pd.DataFrame, *, score_name: str = SOFT_WPMI) -> pd.DataFrame:
    """The rows of `unit_concepts` that this package computed, CLIP-Dissect's first, in the tables' order.

    Args:
        clip: of `CLIP_COLUMNS`, as `clip_table` makes it; may be empty.
        net: of `NET_COLUMNS`, as `netdissect_table` makes it; may be empty.
        score_name: the similarity function of `clip`'s scores.
    """
    words = unit_rows(clip, method=CLIP_DISSECT, source=SOURCE_COMPUTED, score_name=score_name)
    labels = unit_rows(
        net.rename(columns={"iou": "score"}), method=NETDISSECT, source=SOURCE_COMPUTED, score_name=IOU
    )
    return pd.concat([words, labels], ignore_index=True)
