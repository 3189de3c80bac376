"""From the steps' tables to the warehouse: all the tables of a chapter in one transaction."""

from collections.abc import Sequence

import pandas as pd

from xai_assets.analysis.between_models import comparison_tables
from xai_assets.analysis.budget import left_out_table, measured
from xai_assets.analysis.differences import of_classes, of_differences
from xai_assets.analysis.drift import explanation_drift
from xai_assets.analysis.embeddings import HEALTH
from xai_assets.analysis.evaluation import agreement_sweep
from xai_assets.analysis.evidence_place import evidence_tests
from xai_assets.analysis.faithfulness import faithfulness_curves
from xai_assets.analysis.other_images import pairs_by_chance, truths_by_chance
from xai_assets.analysis.performance import performance_tables
from xai_assets.analysis.placement import scenes_that_count
from xai_assets.analysis.robustness import randomisation_veto
from xai_assets.analysis.verification import TABLE as VERIFICATION
from xai_assets.analysis.verified_rows import verified
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.agreement import category_agreement, name_agreement
from xai_assets.dissection.category_comparison import category_comparison
from xai_assets.dissection.presence_summary import presence_summary
from xai_assets.dissection.summary import layer_summary
from xai_assets.dissection.unit_concepts import COMPUTED, computed_concepts
from xai_assets.dissection.units_beyond_chance import units_beyond_chance
from xai_assets.evaluation.accuracy import is_sure, prediction_summary
from xai_assets.evaluation.agreement_summary import agreement_summary
from xai_assets.evaluation.comparison import LONG, curve_means, metric_summary, metric_tests
from xai_assets.evaluation.counterfactual_summary import counterfactual_summary
from xai_assets.evaluation.localization import METRICS_OF, localization_values, of_object
from xai_assets.evaluation.metric_trials import metric_trials
from xai_assets.evaluation.metrics import AGAINST_TRUTH, METRICS
from xai_assets.evaluation.placement_trials import Scene, placement_trials
from xai_assets.evaluation.stability import stability_summary
from xai_assets.resources.tables import TABLES
from xai_assets.resources.warehouse import Scope

OF_CONCEPTS: dict[str, Scope] = {"unit_concepts": {"method": COMPUTED}}
"""Concepts that were imported are not of the load."""

_OF_TRUTHS: Scope = {"metric": tuple(METRICS_OF)}
_OF_THE_MODEL: Scope = {"metric": tuple(key for key in METRICS if key not in METRICS_OF)}
OF_MASKS: dict[str, Scope] = dict.fromkeys(("metric_summary", "metric_tests"), _OF_TRUTHS)
OF_MEASURES: dict[str, Scope] = dict.fromkeys(("metric_summary", "metric_tests"), _OF_THE_MODEL)
"""The rows of tables that two loads share: those about the ground truth are there before the model is asked again."""

_NO_RANKING = ("randomisation_similarity", "noise_floor", "redrawn")
"""Metrics in which no method is better than another: a veto, and what another metric is read against."""


def load_concepts(
    bench: Workbench, embeddings: pd.DataFrame, clip: pd.DataFrame, net: pd.DataFrame
) -> pd.DataFrame:
    """Load unit_concepts (the computed methods' rows), what layers and models come to, and probe_health.

    Returns:
        Table and rows.
    """
    health = bench.store.get(HEALTH, embeddings["health"].iloc[0])[1]["health"]
    return _load(
        bench,
        {
            "unit_concepts": computed_concepts(
                clip, net, score_name=bench.dissection.clip_dissect.similarity
            ),
            "layer_summary": layer_summary(clip, net),
            "presence_summary": presence_summary(clip),
            "units_beyond_chance": units_beyond_chance(clip, net),
            "name_agreement": name_agreement(clip, net, seed=bench.study.seed),
            "category_agreement": category_agreement(clip, net),
            "category_comparison": category_comparison(clip, net, seed=bench.study.seed),
            "probe_health": pd.DataFrame(health, columns=["key", "value", "level"]),
        },
        within=OF_CONCEPTS,
    )


def load_masks(
    bench: Workbench,
    images: pd.DataFrame,
    predictions: pd.DataFrame,
    maps: pd.DataFrame,
    agreement: pd.DataFrame,
    localization: pd.DataFrame,
    *,
    evidence_place: pd.DataFrame,
    answers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Load images, predictions, maps, their agreement and where they lie, with means and tests: no pass was made for it.

    Of `maps`, as `explanations.maps` gives them, the rows with a contrast are `difference_maps`, and no part of what maps
    of one class come to.

    Returns:
        Table and rows.
    """
    failures, maps = of_differences(maps), of_classes(maps)
    of_truths = localization_values(localization)
    chance = truths_by_chance(bench, maps, predictions) if len(localization) else None
    sweep = agreement_sweep(bench, maps)
    return _load(
        bench,
        {
            "images": images,
            "predictions": predictions,
            "prediction_summary": prediction_summary(_of_all_images(bench, predictions, answers)),
            "maps": maps,
            "difference_maps": failures,
            "mask_agreement": agreement,
            "agreement_sweep": sweep,
            "agreement_summary": agreement_summary(agreement, sweep, pairs_by_chance(bench, maps)),
            "localization": localization,
            "evidence_place": evidence_place,
            "evidence_tests": evidence_tests(bench, maps, predictions),
            "metric_summary": metric_summary(of_truths, chance),
            "metric_tests": metric_tests(of_truths, chance, seed=bench.study.seed),
        },
        within=OF_MASKS,
    )


def load_measures(
    bench: Workbench,
    predictions: pd.DataFrame,
    maps: pd.DataFrame,
    localization: pd.DataFrame,
    *,
    faithfulness: pd.DataFrame,
    difference_faithfulness: pd.DataFrame | None = None,
    robustness: pd.DataFrame,
    counterfactuals: pd.DataFrame,
    verification: pd.DataFrame,
) -> pd.DataFrame:
    """Load all that the model was asked again for, with curves, means and tests, and what a budget left out.

    Returns:
        Table and rows.
    """
    maps, seed = of_classes(maps), bench.study.seed
    asked = {
        "faithfulness": faithfulness,
        "difference_faithfulness": difference_faithfulness,
        "robustness": robustness,
    }
    left_out = left_out_table((name, table) for name, table in asked.items() if table is not None)
    faithfulness, robustness = measured(faithfulness), measured(robustness)
    if difference_faithfulness is not None:
        difference_faithfulness = measured(difference_faithfulness)
    curves = faithfulness_curves(bench, faithfulness)
    values = pd.concat([_long(faithfulness), _long(robustness)], ignore_index=True)
    of_maps = pd.concat(
        [_long(of_object(localization_values(localization))), _long(faithfulness)], ignore_index=True
    )
    # Metrics are put to the test where the pictures' making is known.
    tried = of_maps if bench.attribution.images.diorama else of_maps.iloc[:0]
    return _load(
        bench,
        {
            **_of_differences(difference_faithfulness, seed),
            "faithfulness": faithfulness,
            "faithfulness_curves": curves,
            "faithfulness_curve_means": curve_means(curves),
            "robustness": robustness,
            "left_out": left_out,
            "counterfactuals": counterfactuals,
            "counterfactual_summary": counterfactual_summary(counterfactuals, seed=seed),
            "randomisation_veto": randomisation_veto(bench, robustness),
            "stability_summary": stability_summary(robustness, seed=seed),
            "metric_summary": metric_summary(values),
            "metric_tests": metric_tests(values[~values["metric"].isin(_NO_RANKING)], seed=seed),
            "metric_trials": _with_placement(
                metric_trials(tried, counterfactuals, seed=seed),
                scenes_that_count(bench, predictions, maps, counterfactuals),
                seed,
            ),
            **verified(verification, bench.warehouse.read(bench.study.name)[VERIFICATION], maps),
        },
        within=OF_MEASURES,
    )


def _of_all_images(bench: Workbench, predictions: pd.DataFrame, answers: pd.DataFrame | None) -> pd.DataFrame:
    """What the accuracy is of: a sample of images with many failures says nothing about it, so all answers are."""
    if bench.attribution.sample is None or answers is None:
        return predictions
    first = predictions.iloc[0]
    return answers.assign(
        sure=answers["probability"].map(is_sure),
        domain=first["domain"],
        in_domain=pd.array([first["in_domain"]] * len(answers), "boolean"),
    )


def _of_differences(values: pd.DataFrame | None, seed: int) -> dict[str, pd.DataFrame]:
    """The faithfulness of differences with its means and tests: of other questions, and in no mean with others."""
    if values is None or not len(values):
        names = ("difference_faithfulness", "difference_summary", "difference_tests")
        return {name: pd.DataFrame(columns=list(TABLES[name].columns)) for name in names}
    measured = values[list(LONG)].astype({"value": "float64"})
    summary, tests = metric_summary(measured), metric_tests(measured, seed=seed)
    return {
        "difference_faithfulness": values,
        "difference_summary": summary[list(TABLES["difference_summary"].columns)],
        "difference_tests": tests[list(TABLES["difference_tests"].columns)],
    }


def _with_placement(trials: pd.DataFrame, scenes: Sequence[Scene], seed: int) -> pd.DataFrame:
    """The trials, and PLACED of the metrics of the true mask that are among them."""
    of_truth = trials[trials["metric"].isin(AGAINST_TRUTH)].drop_duplicates("metric")
    variants = {
        str(metric): None if pd.isna(variant) else str(variant)
        for metric, variant in zip(of_truth["metric"], of_truth["variant"], strict=True)
    }
    placed = placement_trials(scenes, variants, seed=seed)
    return pd.concat([trials, placed], ignore_index=True) if len(placed) else trials


def load_performance(bench: Workbench, answers: pd.DataFrame) -> pd.DataFrame:
    """Load answers, what they come to (model_performance, confusions, reliability_curve), and explained_sample.

    Returns:
        Table and rows.
    """
    return _load(bench, {"answers": answers, **performance_tables(bench, answers)})


def load_models(bench: Workbench, answers: pd.DataFrame, maps: pd.DataFrame) -> pd.DataFrame:
    """Load the answers and maps of several models, their agreement, tests, and the answers that changed.

    Returns:
        Table and rows.
    """
    compared = comparison_tables(bench, answers, maps)
    return _load(bench, {"answers_by_model": answers, "maps_by_model": maps, **compared})


def load_drift(
    bench: Workbench, maps: pd.DataFrame, localization: pd.DataFrame, clip: pd.DataFrame, net: pd.DataFrame
) -> pd.DataFrame:
    """Compare with the run before, and load explanation_drift; returns its rows."""
    concepts = pd.DataFrame(columns=["model", "method"])
    if bench.study.dissection is not None:
        concepts = computed_concepts(clip, net, score_name=bench.dissection.clip_dissect.similarity)
    found = explanation_drift(bench, maps, localization, concepts)
    bench.warehouse.replace(bench.study.name, {"explanation_drift": found})
    return found


def _long(table: pd.DataFrame) -> pd.DataFrame:
    return table[["target_index", *LONG]].astype({"value": "float64"})


def _load(
    bench: Workbench, frames: dict[str, pd.DataFrame], within: dict[str, Scope] | None = None
) -> pd.DataFrame:
    rows = bench.warehouse.replace(bench.study.name, frames, within=within)
    return pd.DataFrame({"table": list(rows), "rows": list(rows.values())})
