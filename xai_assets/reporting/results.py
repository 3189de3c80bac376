"""What a report is made of: a study's tables, its artifacts, and the facts about its run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

Artifact = tuple[Mapping[str, np.ndarray], Mapping[str, Any]]
UnitKey = tuple[str, str, int]
UnitPictures = tuple[np.ndarray, np.ndarray | None]


def no_artifacts(kind: str, key: str) -> Artifact:
    """A store that holds nothing."""
    raise KeyError(f"no artifact {kind}/{key}")


def _empty() -> pd.DataFrame:
    return pd.DataFrame()


@dataclass(frozen=True)
class StudyResults:
    """The results of one study. A table that was not made is an empty DataFrame, and the report says so.

    The columns of each table are those of the warehouse, with or without `study`. `explanation_drift` has the rows that
    say of a difference, and none where everything is as it was.

    Attributes:
        study: facts about the study and its run. `name` and `title` are required. Optional: `description` (the
            author's words), `seed`, `created` (ISO 8601, UTC; the only time that a report prints), `command` (what
            reproduces it), `layer` (target layer of the CAM methods), `min_iou` (a detector's least IoU), `yaml` (the
            study's file), `reports` (those that it makes), `steps` (`asset`, `seconds`, `computed`, `reused` of each),
            `made_from` (a hash of all that the report follows from), `checks` (see `reporting.checks`), `problems`
            (see `reporting.exclusions`), `synthetic` (which pictures are drawn, see `narrative.synthetic`), and
            `lineage`: groups of facts, such as {"Models": {"diorama/object": "sha256 …"}, "Versions": {"torch": "2.7"}}.
        artifact: `artifact(kind, key)` gives arrays and metadata. Used for kind `views` with `predictions.view`
            (`view` h w 3 uint8, optional `truth` h w uint8) and kind `maps` with the `artifact` of `maps` and of
            `difference_maps` (`values` h w float32, `mask` h w uint8; for LIME also `segments` h w int and `weights`
            float).
        unit_pictures: the most activating pictures of the units that `selection.units_to_show` names, by
            (model, layer, unit): `pictures` (k h w 3 uint8) and `regions` (k h w bool: where the unit is above its
            threshold), or None for the regions. A unit without pictures is shown without.
    """

    study: Mapping[str, Any]
    images: pd.DataFrame = field(default_factory=_empty)
    predictions: pd.DataFrame = field(default_factory=_empty)
    prediction_summary: pd.DataFrame = field(default_factory=_empty)
    answers: pd.DataFrame = field(default_factory=_empty)
    model_performance: pd.DataFrame = field(default_factory=_empty)
    confusions: pd.DataFrame = field(default_factory=_empty)
    suspected_labels: pd.DataFrame = field(default_factory=_empty)
    label_quality: pd.DataFrame = field(default_factory=_empty)
    reliability_curve: pd.DataFrame = field(default_factory=_empty)
    explained_sample: pd.DataFrame = field(default_factory=_empty)
    maps: pd.DataFrame = field(default_factory=_empty)
    difference_maps: pd.DataFrame = field(default_factory=_empty)
    difference_summary: pd.DataFrame = field(default_factory=_empty)
    difference_tests: pd.DataFrame = field(default_factory=_empty)
    mask_agreement: pd.DataFrame = field(default_factory=_empty)
    agreement_sweep: pd.DataFrame = field(default_factory=_empty)
    agreement_summary: pd.DataFrame = field(default_factory=_empty)
    localization: pd.DataFrame = field(default_factory=_empty)
    evidence_place: pd.DataFrame = field(default_factory=_empty)
    evidence_tests: pd.DataFrame = field(default_factory=_empty)
    faithfulness_curve_means: pd.DataFrame = field(default_factory=_empty)
    robustness: pd.DataFrame = field(default_factory=_empty)
    left_out: pd.DataFrame = field(default_factory=_empty)
    randomisation_veto: pd.DataFrame = field(default_factory=_empty)
    stability_summary: pd.DataFrame = field(default_factory=_empty)
    metric_summary: pd.DataFrame = field(default_factory=_empty)
    metric_tests: pd.DataFrame = field(default_factory=_empty)
    headline: pd.DataFrame = field(default_factory=_empty)
    metric_trials: pd.DataFrame = field(default_factory=_empty)
    performance_by_model: pd.DataFrame = field(default_factory=_empty)
    maps_by_model: pd.DataFrame = field(default_factory=_empty)
    model_agreement: pd.DataFrame = field(default_factory=_empty)
    model_agreement_summary: pd.DataFrame = field(default_factory=_empty)
    model_tests: pd.DataFrame = field(default_factory=_empty)
    changed_answers: pd.DataFrame = field(default_factory=_empty)
    counterfactual_summary: pd.DataFrame = field(default_factory=_empty)
    verification_summary: pd.DataFrame = field(default_factory=_empty)
    explanation_drift: pd.DataFrame = field(default_factory=_empty)
    clip_dissect: pd.DataFrame = field(default_factory=_empty)
    netdissect: pd.DataFrame = field(default_factory=_empty)
    layer_summary: pd.DataFrame = field(default_factory=_empty)
    category_agreement: pd.DataFrame = field(default_factory=_empty)
    presence_summary: pd.DataFrame = field(default_factory=_empty)
    units_beyond_chance: pd.DataFrame = field(default_factory=_empty)
    category_comparison: pd.DataFrame = field(default_factory=_empty)
    probe_health: pd.DataFrame = field(default_factory=_empty)
    artifact: Callable[[str, str], Artifact] = no_artifacts
    unit_pictures: Mapping[UnitKey, UnitPictures] = field(default_factory=dict)

    @classmethod
    def table_names(cls) -> tuple[str, ...]:
        """The names of the tables that a report reads."""
        return tuple(spec.name for spec in fields(cls) if spec.type is pd.DataFrame)

    @property
    def seed(self) -> int:
        """The study's seed, 0 where none is given."""
        return int(self.study.get("seed") or 0)
