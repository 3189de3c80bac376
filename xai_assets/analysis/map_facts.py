"""What is in the stored maps of a study, for checks that hold it against their rows."""

import numpy as np
import pandas as pd

from xai_assets.analysis.differences import contrast_of
from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.maps import NO_FIT
from xai_assets.vision.geometry import Frame

COLUMNS = ["method", "image_id", "target_index", "contrast_index", "finite", "as_said", "framed", "explained"]


def map_facts(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a map, decoded from its artifact.

    Columns: `finite`, all values are; `as_said`, its range and its mask's density are those of its row; `framed`, its
    frame and its shape are those of the model's view of the image; `explained`, LIME's surrogate had something to
    explain (always so of other methods).
    """
    views = {
        (row["image_id"], int(row["target_index"])): row["view"] for row in predictions.to_dict("records")
    }
    rows = []
    for row in maps.to_dict("records"):
        explained, mask = read_map(bench, row)
        values, case = explained.values, (row["image_id"], int(row["target_index"]))
        finite = bool(np.isfinite(values).all())
        said = (row["raw_min"], row["raw_max"], row["density"])
        framed = False
        if case in views:
            frame = Frame.from_dict(bench.store.meta("views", views[case])["frame"])
            framed = explained.frame == frame and values.shape == mask.shape == tuple(frame.size)
        found = (float(values.min()), float(values.max()), float(mask.mean()))
        rows.append(
            [
                row["method"],
                *case,
                contrast_of(row),
                finite,
                finite and found == said,
                framed,
                NO_FIT not in explained.flags,
            ]
        )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"contrast_index": "Int64"})


def external_facts(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """As `map_facts`; its attribute `asked` lists the external sets of the study, some of which may have no map."""
    found = map_facts(bench, maps, predictions)
    found.attrs = {"asked": list(bench.attribution.methods.external_sets())}
    return found
