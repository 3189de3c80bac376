"""What the units have learned: activations and embeddings of the probe set, and the concepts named from them."""

import dagster as dg

from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks import dissection as checks
from xai_assets.execution.op_tags import LIGHT, MODEL
from xai_assets.execution.retries import ONCE_MORE
from xai_assets.resources.table import Table

GROUP = "dissection"


@study_asset(GROUP, "pytorch", MODEL, retry_policy=ONCE_MORE, checks=[checks.FEW_DEAD, checks.LAYERS_SOUND])
def unit_activations(context: dg.AssetExecutionContext, probe_set: Table) -> dg.MaterializeResult:
    """What every unit of every dissected layer does on every probe image: one pass a model, one row a layer."""
    from xai_assets.analysis.activations import unit_activations as collect

    return run_step(
        context,
        "dissection",
        lambda bench: collect(bench, probe_set),
        checks=[checks.FEW_DEAD, checks.LAYERS_SOUND],
    )


@study_asset(GROUP, "pytorch", MODEL, version="2", retry_policy=ONCE_MORE, checks=[checks.PROBE_HEALTH])
def concept_embeddings(context: dg.AssetExecutionContext, probe_set: Table) -> dg.MaterializeResult:
    """Probe images and concept words in the image-text encoder's space, and what the probe's health is: one row."""
    from xai_assets.analysis.embeddings import concept_embeddings as embed

    return run_step(
        context, "dissection", lambda bench: embed(bench, probe_set), checks=[checks.PROBE_HEALTH]
    )


@study_asset(
    GROUP,
    "pytorch",
    LIGHT,
    version="2",
    checks=[checks.WORDS_COVER, checks.BEYOND_CHANCE, checks.CONCEPTS_SOUND],
)
def clip_dissect_concepts(
    context: dg.AssetExecutionContext,
    probe_set: Table,
    unit_activations: Table,
    concept_embeddings: Table,
) -> dg.MaterializeResult:
    """CLIP-Dissect (Oikarinen & Weng 2023), soft-WPMI: the word that fits each unit's top images best."""
    from xai_assets.analysis.concepts import clip_dissect_concepts as name

    return run_step(
        context,
        "dissection",
        lambda bench: name(bench, probe_set, unit_activations, concept_embeddings),
        checks=[checks.WORDS_COVER, checks.BEYOND_CHANCE, checks.CONCEPTS_SOUND],
        made_from=[probe_set, unit_activations],
    )


@study_asset(
    GROUP,
    "numpy",
    LIGHT,
    version="2",
    checks=[checks.LABELS_COVER, checks.BEYOND_CHANCE, checks.CONCEPTS_SOUND],
)
def netdissect_concepts(
    context: dg.AssetExecutionContext, probe_set: Table, unit_activations: Table
) -> dg.MaterializeResult:
    """Network Dissection (Bau et al. 2017): the pixel label that each unit's activation overlaps most."""
    from xai_assets.analysis.concepts import netdissect_concepts as name

    return run_step(
        context,
        "dissection",
        lambda bench: name(bench, probe_set, unit_activations),
        checks=[checks.LABELS_COVER, checks.BEYOND_CHANCE, checks.CONCEPTS_SOUND],
        made_from=[probe_set, unit_activations],
    )
