"""All that is made again, of one study."""

from tests.rederived import of_answers, of_evidence, of_images, of_maps, of_models, of_trials, of_units
from tests.rederived.compared import Found

FROM_TABLES = (
    of_images.metric_summary, of_images.metric_tests, of_images.counterfactual_summary, of_images.curve_means,
    of_images.prediction_summary, of_images.randomisation_veto, of_images.stability_summary,
    of_images.agreement_means, of_trials.metric_trials,
    of_trials.headline, of_units.presence_summary, of_units.units_beyond_chance, of_units.category_comparison,
    of_units.category_agreement, of_answers.model_performance, of_answers.confusions, of_answers.reliability_curve,
    of_answers.error_ranks, of_answers.suspected_labels,
)  # fmt: skip


def disagreements(tables, read):
    """What summary tables say otherwise than raw ones do.

    Args:
        tables: of the warehouse, by name; `clip_dissect` and `netdissect` as the views or as the methods' own tables.
        read: `read(kind, key)`: arrays and metadata of an artifact.
    """
    found = Found()
    for part in FROM_TABLES:
        part(tables, found)
    of_maps.agreement(tables, read, found)
    of_maps.localisation(tables, read, found)
    of_evidence.label_quality(tables, read, found)
    of_evidence.evidence(tables, read, found)
    if len(tables.get("answers_by_model", ())):
        of_models.disagreements(tables, read, found)
    return found
