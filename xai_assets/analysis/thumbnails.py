"""What an asset of attribution maps looks like, in one picture: its first maps over what the model saw."""

import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.reporting.figures import blend
from xai_assets.reporting.strip import SIDE, strip

MOST = 12


def map_strip(bench: Workbench, predictions: pd.DataFrame, maps: pd.DataFrame) -> tuple[bytes, str] | None:
    """A PNG of the first maps, in the order of the table, and one line that says what it shows; None without maps.

    Args:
        bench: of the study.
        predictions: the table, for the model's views.
        maps: rows of the table `maps`.
    """
    if not len(maps):
        return None
    views = {
        (row["image_id"], row["target_index"]): row["view"]
        for row in predictions[["image_id", "target_index", "view"]].to_dict("records")
    }
    shown = maps.head(MOST).to_dict("records")
    pictures = []
    for row in shown:
        view = bench.store.get("views", views[row["image_id"], row["target_index"]])[0]["view"]
        found, mask = read_map(bench, row)
        pictures.append(blend(view, found.scaled(), mask=mask, side=SIDE))
    few = f"the first {len(shown)} of {len(maps)}" if len(shown) < len(maps) else f"all {len(maps)}"
    return strip(pictures), f"{few} maps, each from its own minimum to its own maximum, the mask outlined"
