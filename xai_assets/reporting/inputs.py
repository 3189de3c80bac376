"""What a study was made of: its pictures, its models and the probe set, in a few rows."""

from typing import Any

import pandas as pd

from xai_assets.reporting import narrative
from xai_assets.reporting.numbers import in_order, plain
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def inputs(results: StudyResults) -> list[Row]:
    """Rows of `what` and `said`, only of what the tables hold."""
    return [*_pictures(results), *_explained(results), *_dissected(results), *_probe(results)]


def _pictures(results: StudyResults) -> list[Row]:
    images = results.images
    if not len(images):
        return []
    read = images[images["status"] == "ok"]
    sizes = sorted({(int(w), int(h)) for w, h in zip(read["width"], read["height"], strict=True)})
    said = [f"{narrative.count(len(read), 'image')} read of {len(images)}"]
    if len(sizes) == 1:
        said.append(f"{sizes[0][0]} × {sizes[0][1]} pixels each")
    elif sizes:
        sides = [side for size in sizes for side in size]
        said.append(f"sides of {min(sides)} to {max(sides)} pixels")
    said.append(f"{int(read['label'].notna().sum())} labelled")
    if len(results.predictions):
        known = len(_cases(results.localization) & _cases(results.predictions))
        cases = narrative.count(len(results.predictions), "target class", "target classes")
        said.append(f"a true mask is known of {known} of {cases}")
    return [{"what": narrative.EXPLAINED, "said": "; ".join(said)}]


def _cases(table: pd.DataFrame) -> set[tuple[str, int]]:
    return set(zip(table["image_id"], table["target_index"], strict=True)) if len(table) else set()


def _explained(results: StudyResults) -> list[Row]:
    models = in_order(results.predictions["model"]) if len(results.predictions) else []
    layer = plain(results.study.get("layer"))
    at = f"; target layer of the class activation maps: {layer}" if layer else ""
    return [{"what": "explained model", "said": f"{name}{at}"} for name in models]


def _dissected(results: StudyResults) -> list[Row]:
    table = results.layer_summary
    rows = []
    for name in in_order(table["model"]) if len(table) else []:
        of = table[table["model"] == name]
        layers = [f"{row['layer']} ({row['units']} units)" for row in of.to_dict("records")]
        rows.append({"what": "dissected model", "said": f"{name}: {narrative.joined(layers)}"})
    return rows


def _probe(results: StudyResults) -> list[Row]:
    health = results.probe_health
    found = dict(zip(health["key"], health["value"], strict=True)) if len(health) else {}
    said = [f"{found[key]} {key}" for key in ("images", "concepts") if key in found]
    return [{"what": "probe set", "said": "; ".join(said)}] if said else []
