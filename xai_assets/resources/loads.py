"""Which asset loads which tables of the warehouse: every table has one asset that writes it, or every row of it.

`xai verify` adds to what `measure_tables` loads of verification, by the same function.
"""

LOADS: dict[str, tuple[str, ...]] = {
    "concept_tables": (
        "unit_concepts",
        "layer_summary",
        "presence_summary",
        "units_beyond_chance",
        "name_agreement",
        "category_agreement",
        "category_comparison",
        "probe_health",
    ),
    "performance_tables": (
        "answers",
        "model_performance",
        "confusions",
        "suspected_labels",
        "label_quality",
        "reliability_curve",
        "explained_sample",
    ),
    "model_tables": (
        "answers_by_model",
        "performance_by_model",
        "maps_by_model",
        "model_agreement",
        "model_agreement_summary",
        "model_tests",
        "changed_answers",
    ),
    "mask_tables": (
        "images",
        "predictions",
        "prediction_summary",
        "maps",
        "difference_maps",
        "mask_agreement",
        "agreement_sweep",
        "agreement_summary",
        "localization",
        "evidence_place",
        "evidence_tests",
        "metric_summary",
        "metric_tests",
    ),
    "measure_tables": (
        "faithfulness",
        "faithfulness_curves",
        "faithfulness_curve_means",
        "difference_faithfulness",
        "difference_summary",
        "difference_tests",
        "robustness",
        "left_out",
        "randomisation_veto",
        "stability_summary",
        "metric_summary",
        "metric_tests",
        "metric_trials",
        "counterfactuals",
        "counterfactual_summary",
        "verification",
        "verification_summary",
    ),
    "explanation_drift": ("explanation_drift",),
}
"""Tables by the asset that loads them, in one transaction."""

SHARED = ("metric_summary", "metric_tests")
"""Tables of which `mask_tables` loads the rows about the ground truth, and `measure_tables` the others."""
