"""What the assets' tags say to executors: a queue for each, and a GPU where a network runs, to Kubernetes and Ray too."""

import json

import pytest
from dagster_k8s.job import (
    DagsterK8sJobConfig,
    construct_dagster_k8s_job,
    get_user_defined_k8s_config,
)

from tests.conftest import CHECKOUT
from xai_assets.build import build_definitions
from xai_assets.execution.op_tags import LIGHT, MODEL


@pytest.fixture(scope="module")
def tags():
    """asset -> the tags of its step."""
    definitions = build_definitions()
    keys = definitions.resolve_asset_graph().get_all_asset_keys()
    return {key.to_user_string(): dict(definitions.get_assets_def(key).op.tags) for key in keys}


def test_every_step_has_the_queue_of_what_it_needs(tags):
    for asset, found in tags.items():
        home = asset.endswith(("_report", "_tables")) or asset == "explanation_drift"
        wanted = "warehouse" if home else "gpu" if found["xai/device"] == "cuda" else "default"
        assert found["dagster-celery/queue"] == wanted, asset


def test_who_opens_duckdb_or_writes_reports_is_where_the_file_is(tags):
    home = {asset for asset, found in tags.items() if found["dagster-celery/queue"] == "warehouse"}
    assert home == {
        "concept_tables",
        "mask_tables",
        "measure_tables",
        "model_tables",
        "performance_tables",
        "explanation_drift",
    } | {f"{kind}_report" for kind in ("dissection", "cam", "lime", "comparison", "failures", "study")}
    users = {
        file.stem
        for file in (CHECKOUT / "xai_assets" / "analysis").glob("*.py")
        if "bench.warehouse" in file.read_text(encoding="utf-8")
    }
    # Of the tables and their checks, of the reports, and of `xai run` itself.
    assert users == {"loading", "stored_rows", "reports", "headline", "verify"}


def _pod(tags):
    config = DagsterK8sJobConfig(
        job_image="image", dagster_home="/home", instance_config_map="instance", image_pull_policy="Always"
    )
    job = construct_dagster_k8s_job(config, ["dagster"], "step", get_user_defined_k8s_config(tags))
    (container,) = job.spec.template.spec.containers
    return container.resources


def test_kubernetes_gives_a_step_that_runs_a_network_a_gpu_and_no_other(tags):
    assert _pod(tags["gradcam_masks"]).limits == {"nvidia.com/gpu": "1"}
    assert _pod(tags["predictions"]).limits == {"nvidia.com/gpu": "1"}
    assert not getattr(_pod(tags["mask_agreement"]), "limits", None)
    assert not getattr(_pod(tags["mask_tables"]), "limits", None)


def test_ray_gives_a_step_that_runs_a_network_a_gpu_and_no_other(tags):
    assert json.loads(tags["gradcam_masks"]["dagster-ray/config"]) == {"num_gpus": 1}
    assert "dagster-ray/config" not in tags["mask_agreement"]
    assert MODEL["dagster-ray/config"] == {"num_gpus": 1} and "dagster-ray/config" not in LIGHT
