"""The scenes in which the part that decides the class counts, with the maps of every method, to try metrics on."""

import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.grounding import REMOVAL
from xai_assets.evaluation.parameters import MATTERS
from xai_assets.evaluation.placement_trials import Scene


def scenes_that_count(
    bench: Workbench, predictions: pd.DataFrame, maps: pd.DataFrame, counterfactuals: pd.DataFrame
) -> list[Scene]:
    """Scenes in which the removal of the part lowers the probability by MATTERS or more, in the order of the predictions.

    Args:
        bench: of the study.
        predictions: the table; its `view` has the true masks.
        maps: the table of all methods. Maps that show nothing are left out.
        counterfactuals: the table; empty where the images are no scenes.
    """
    case = ["image_id", "target_index"]
    counts = counterfactuals[counterfactuals["change"].isin(REMOVAL) & (counterfactuals["fall"] >= MATTERS)]
    wanted = set(counts[case].itertuples(index=False, name=None))
    by_case = dict(list(maps.groupby(case, sort=False))) if len(maps) else {}
    found = []
    for row in predictions.to_dict("records"):
        key = (row["image_id"], row["target_index"])
        arrays = bench.store.get("views", row["view"])[0] if key in wanted else {}
        if key not in by_case or "truth_part" not in arrays or not arrays["truth_part"].any():
            continue
        read = [read_map(bench, one) for one in by_case[key].to_dict("records")]
        usable = {one.method: (one.values, mask) for one, mask in read if one.usable}
        found.append(Scene(usable, arrays["truth"].astype(bool), arrays["truth_part"].astype(bool)))
    return found
