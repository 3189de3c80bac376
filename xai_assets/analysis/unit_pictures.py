"""The pictures on a report's unit cards: what drives a unit most, and where in them it is on."""

import numpy as np

from xai_assets.analysis.activations import read_activations
from xai_assets.analysis.probe import open_probe
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.dissection.top_pictures import top_pictures
from xai_assets.reporting.results import StudyResults, UnitKey, UnitPictures
from xai_assets.reporting.selection import units_to_show

SIDE = 128
"""Pictures of other sizes are brought to this square for the cards: h w in pixels."""


def unit_pictures(bench: Workbench, results: StudyResults) -> dict[UnitKey, UnitPictures]:
    """The five pictures of every unit that the reports show, with the region above the unit's threshold."""
    chosen = units_to_show(results)
    if not len(chosen):
        return {}
    table = bench.table("unit_activations")
    probe, quantile = (
        open_probe(bench, str(bench.table("probe_set")["sha256"].iloc[0])),
        bench.dissection.netdissect.quantile,
    )
    pooling = bench.dissection.clip_dissect.pooling
    found: dict[UnitKey, UnitPictures] = {}
    for model in chosen["model"].unique():
        activations = read_activations(bench, table, model)
        of_model = chosen[chosen["model"] == model]
        for layer_name in of_model["layer"].unique():
            layer = activations.layers[layer_name]
            units = [int(unit) for unit in of_model.loc[of_model["layer"] == layer_name, "unit"]]
            levels = None if layer.maps is None else top_quantile_thresholds(layer, quantile)
            kept = top_pictures(layer, units, levels, probe, activations.boxes, pooling=pooling)
            for unit, shown in kept.items():
                pictures = np.stack([_square(picture) for picture in shown.pixels])
                regions = np.stack([_square(mask) for mask in shown.masks]).astype(bool)
                found[model, layer_name, unit] = (pictures, None if levels is None else regions)
    return found


def _square(picture: np.ndarray) -> np.ndarray:
    """A picture or mask (h w or h w 3, uint8) at SIDE x SIDE, each pixel that of the nearest centre."""
    rows = ((np.arange(SIDE) + 0.5) * picture.shape[0] / SIDE).astype(int)
    columns = ((np.arange(SIDE) + 0.5) * picture.shape[1] / SIDE).astype(int)
    return picture[rows][:, columns]
