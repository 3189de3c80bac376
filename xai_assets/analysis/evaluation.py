"""How far the masks agree with each other and, where it is known, with the truth."""

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.other_images import TRUTH_ARRAYS, pairs_by_chance
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.maps import AttributionMap
from xai_assets.evaluation.agreement import agreement_sweep as evaluation_sweep
from xai_assets.evaluation.agreement import agreement_table
from xai_assets.evaluation.agreement_summary import agreement_summary as evaluation_summary
from xai_assets.evaluation.localization import localization_table
from xai_assets.resources.tables import TABLES
from xai_assets.vision.geometry import Frame

Case = tuple[str, int]
Masked = tuple[AttributionMap, np.ndarray]


def mask_agreement(bench: Workbench, maps: pd.DataFrame) -> pd.DataFrame:
    """IoU, Dice and rank correlation of every pair of methods, as the warehouse's table `mask_agreement`."""
    found = [
        agreement_table(explained, policy=bench.attribution.binarisation.policy)
        for _, explained in _cases(bench, maps)
    ]
    return _table("mask_agreement", found)


def agreement_sweep(bench: Workbench, maps: pd.DataFrame) -> pd.DataFrame:
    """IoU of every pair of methods at equal areas, as the warehouse's table `agreement_sweep`."""
    found = [evaluation_sweep([of for of, _ in explained]) for _, explained in _cases(bench, maps)]
    return _table("agreement_sweep", found)


def agreement_summary(bench: Workbench, maps: pd.DataFrame, agreement: pd.DataFrame) -> pd.DataFrame:
    """How far every pair of methods agrees, and whether beyond chance, as the warehouse's table `agreement_summary`."""
    chance = pairs_by_chance(bench, maps)
    return evaluation_summary(agreement, agreement_sweep(bench, maps), chance)


def localization(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """The masks and the controls against what is true, as the warehouse's table `localization`.

    A case whose object's mask is not known has no rows, and one whose part or other objects are not known none of those.
    """
    views = {
        (row["image_id"], int(row["target_index"])): row["view"] for row in predictions.to_dict("records")
    }
    found = []
    for case, explained in _cases(bench, maps):
        arrays, meta = bench.store.get("views", views[case])
        if "truth" in arrays:
            found.append(
                localization_table(
                    explained,
                    {name: arrays[of].astype(bool) for name, of in TRUTH_ARRAYS.items() if of in arrays},
                    view=arrays["view"],
                    policy=bench.attribution.binarisation,
                    seed=bench.study.seed,
                    truth_frame=Frame.from_dict(meta["frame"]),
                )
            )
    return _table("localization", found)


def _cases(bench: Workbench, maps: pd.DataFrame) -> list[tuple[Case, list[Masked]]]:
    """The maps and masks of each image and target class, in the table's order."""
    groups: dict[Case, list[Masked]] = {}
    for row in maps.to_dict("records"):
        groups.setdefault((row["image_id"], int(row["target_index"])), []).append(read_map(bench, row))
    bench.tally.computed += len(groups)
    return list(groups.items())


def _table(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    columns = list(TABLES[name].columns)
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]
