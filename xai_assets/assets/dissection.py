"""What the units have learned: activations and embeddings of the probe set, and the concepts named from them."""

import dagster as dg

from xai_assets.assets.step import run_step
from xai_assets.automation.partitions import studies
from xai_assets.checks import dissection as checks
from xai_assets.execution.op_tags import LIGHT, MODEL
from xai_assets.execution.retries import ONCE_MORE
from xai_assets.resources.table import Table

GROUP = "dissection"


@dg.asset(
    partitions_def=studies,
    group_name=GROUP,
    kinds={"pytorch"},
    op_tags=MODEL,
    retry_policy=ONCE_MORE,
    code_version="1",
    dagster_type=dg.Any,  # an asset with checks cannot say in its annotation that it has a value
    check_specs=[checks.FEW_DEAD.spec("unit_activations"), checks.LAYERS_SOUND.spec("unit_activations")],
)
def unit_activations(context: dg.AssetExecutionContext, probe_set: Table) -> dg.MaterializeResult:
    """What every unit of every dissected layer does on every probe image: one pass a model, one row a layer."""
    from xai_assets.analysis.activations import unit_activations as collect

    return run_step(
        context,
        "dissection",
        lambda bench: collect(bench, probe_set),
        checks=[checks.FEW_DEAD, checks.LAYERS_SOUND],
    )


@dg.asset(
    partitions_def=studies,
    group_name=GROUP,
    kinds={"pytorch"},
    op_tags=MODEL,
    retry_policy=ONCE_MORE,
    code_version="2",
    dagster_type=dg.Any,
    check_specs=[checks.PROBE_HEALTH.spec("concept_embeddings")],
)
def concept_embeddings(context: dg.AssetExecutionContext, probe_set: Table) -> dg.MaterializeResult:
    """Probe images and concept words in the image-text encoder's space, and what the probe's health is: one row."""
    from xai_assets.analysis.embeddings import concept_embeddings as embed

    return run_step(
        context, "dissection", lambda bench: embed(bench, probe_set), checks=[checks.PROBE_HEALTH]
    )


@dg.asset(
    partitions_def=studies,
    group_name=GROUP,
    kinds={"pytorch"},
    op_tags=LIGHT,
    code_version="1",
    dagster_type=dg.Any,
    check_specs=[
        checks.WORDS_COVER.spec("clip_dissect_concepts"),
        checks.BEYOND_CHANCE.spec("clip_dissect_concepts"),
        checks.CONCEPTS_SOUND.spec("clip_dissect_concepts"),
    ],
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


@dg.asset(
    partitions_def=studies,
    group_name=GROUP,
    kinds={"numpy"},
    op_tags=LIGHT,
    code_version="1",
    dagster_type=dg.Any,
    check_specs=[
        checks.LABELS_COVER.spec("netdissect_concepts"),
        checks.BEYOND_CHANCE.spec("netdissect_concepts"),
        checks.CONCEPTS_SOUND.spec("netdissect_concepts"),
    ],
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
