"""DuckDB: the one place where tables are loaded, one transaction a study. Reports read from here."""

from functools import partial

import dagster as dg

from xai_assets.assets.attribution import METHODS
from xai_assets.assets.evaluation import MASKS, together, with_differences
from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks import dissection as checks
from xai_assets.checks import warehouse as warehouse_checks
from xai_assets.execution.op_tags import HOME
from xai_assets.resources.table import Table

GROUP = "warehouse"
OF_CONCEPTS = (checks.METHODS_AGREE, warehouse_checks.LOADED)


@study_asset(GROUP, "duckdb", HOME, version="3", checks=OF_CONCEPTS)
def concept_tables(
    context: dg.AssetExecutionContext,
    concept_embeddings: Table,
    clip_dissect_concepts: Table,
    netdissect_concepts: Table,
) -> dg.MaterializeResult:
    """unit_concepts with its views, layer_summary, category_agreement and probe_health in DuckDB: rows of each."""
    from xai_assets.analysis.loading import OF_CONCEPTS as PART
    from xai_assets.analysis.loading import load_concepts
    from xai_assets.analysis.stored_rows import stored_rows

    return run_step(
        context,
        "dissection",
        lambda bench: load_concepts(bench, concept_embeddings, clip_dissect_concepts, netdissect_concepts),
        checks=OF_CONCEPTS,
        made_from=[clip_dissect_concepts, netdissect_concepts],
        facts=partial(stored_rows, within=PART),
        loads=[concept_embeddings, clip_dissect_concepts, netdissect_concepts],
    )


@study_asset(GROUP, "duckdb", HOME, checks=[warehouse_checks.LOADED])
def performance_tables(context: dg.AssetExecutionContext, model_performance: Table) -> dg.MaterializeResult:
    """answers, what they come to, and which images are explained, in DuckDB: the number of rows of each."""
    from xai_assets.analysis.loading import load_performance
    from xai_assets.analysis.stored_rows import stored_rows

    return run_step(
        context,
        "attribution",
        lambda bench: load_performance(bench, model_performance),
        checks=[warehouse_checks.LOADED],
        facts=stored_rows,
        loads=[model_performance],
    )


@study_asset(GROUP, "duckdb", HOME, checks=[warehouse_checks.LOADED])
def model_tables(
    context: dg.AssetExecutionContext, answers_by_model: Table, maps_by_model: Table
) -> dg.MaterializeResult:
    """Several models of one study in DuckDB, compared on the same images: the number of rows of each table."""
    from xai_assets.analysis.loading import load_models
    from xai_assets.analysis.stored_rows import stored_rows

    return run_step(
        context,
        "attribution",
        lambda bench: load_models(bench, answers_by_model, maps_by_model),
        checks=[warehouse_checks.LOADED],
        facts=stored_rows,
        loads=[answers_by_model, maps_by_model],
    )


@study_asset(GROUP, "duckdb", HOME, version="8", ins=MASKS, checks=[warehouse_checks.LOADED])
def mask_tables(
    context: dg.AssetExecutionContext,
    images: Table,
    predictions: Table,
    mask_agreement: Table,
    localization: Table,
    evidence_place: Table,
    model_performance: Table,
    **masks: Table,
) -> dg.MaterializeResult:
    """images, predictions, maps, where they lie and how far they agree, in DuckDB: the number of rows of each."""
    from xai_assets.analysis.loading import OF_MASKS, load_masks
    from xai_assets.analysis.stored_rows import stored_rows

    assert set(masks) == {f"{method}_masks" for method in METHODS}
    maps = with_differences(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: load_masks(
            bench,
            images,
            predictions,
            maps,
            mask_agreement,
            localization,
            evidence_place=evidence_place,
            answers=model_performance,
        ),
        checks=[warehouse_checks.LOADED],
        facts=partial(stored_rows, within=OF_MASKS),
        loads=[images, predictions, maps, mask_agreement, localization, evidence_place, model_performance],
    )


@study_asset(GROUP, "duckdb", HOME, ins=MASKS, deps=["mask_tables"], checks=[warehouse_checks.LOADED])
def measure_tables(
    context: dg.AssetExecutionContext,
    predictions: Table,
    localization: Table,
    faithfulness: Table,
    difference_faithfulness: Table,
    robustness: Table,
    counterfactuals: Table,
    verification: Table,
    **masks: Table,
) -> dg.MaterializeResult:
    """All that the model was asked again for (faithfulness, robustness, ...), in DuckDB: the number of rows of each."""
    from xai_assets.analysis.loading import OF_MEASURES, load_measures
    from xai_assets.analysis.stored_rows import stored_rows

    maps = with_differences(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: load_measures(
            bench,
            predictions,
            maps,
            localization,
            faithfulness=faithfulness,
            difference_faithfulness=difference_faithfulness,
            robustness=robustness,
            counterfactuals=counterfactuals,
            verification=verification,
        ),
        checks=[warehouse_checks.LOADED],
        facts=partial(stored_rows, within=OF_MEASURES),
        loads=[
            predictions,
            maps,
            localization,
            faithfulness,
            difference_faithfulness,
            robustness,
            counterfactuals,
            verification,
        ],
    )


@study_asset(GROUP, "duckdb", HOME, ins=MASKS, checks=[warehouse_checks.EXPLANATIONS_HOLD])
def explanation_drift(
    context: dg.AssetExecutionContext,
    localization: Table,
    clip_dissect_concepts: Table,
    netdissect_concepts: Table,
    **masks: Table,
) -> dg.MaterializeResult:
    """This run against the one before, in DuckDB: IoU of the same masks, change of measures, units that changed."""
    from xai_assets.analysis.loading import load_drift

    maps = together(masks)
    return run_step(
        context,
        None,
        lambda bench: load_drift(bench, maps, localization, clip_dissect_concepts, netdissect_concepts),
        checks=[warehouse_checks.EXPLANATIONS_HOLD],
    )
