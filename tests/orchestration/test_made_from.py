"""A table that was made before the study was edited is used only where the edit does not concern it."""

import dagster as dg
import pandas as pd
import pytest

from xai_assets.build import study_job_definition
from xai_assets.execution.made_from import READS, made_from
from xai_assets.resources.io_manager import FrameIOManager
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_file import find_study

TEXT = """\
title: Mine
attribution:
  model: diorama/object
  images: {diorama: {singles: 1, pairs: 0}}
  layer: layer4
  methods: {gradcam: {}, lime: {num_samples: 20}}
"""
STUDIES = dg.StaticPartitionsDefinition(["mine"])


@dg.asset(partitions_def=STUDIES)
def gradcam_masks() -> pd.DataFrame:
    return pd.DataFrame({"a": [1]})


@dg.asset(partitions_def=STUDIES)
def mask_agreement(gradcam_masks: pd.DataFrame) -> pd.DataFrame:
    return gradcam_masks


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Materialise an asset of the study after some text of it was replaced; the failure's reason, or None."""
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    (tmp_path / "studies").mkdir()
    resources = {"io_manager": FrameIOManager(artifacts=str(tmp_path / "artifacts"))}
    with dg.instance_for_test() as instance:

        def run(asset, *replaced):
            text = TEXT
            for old, new in replaced:
                assert old in text
                text = text.replace(old, new)
            (tmp_path / "studies" / "mine.yaml").write_text(text, encoding="utf-8")
            done = dg.materialize(
                [gradcam_masks, mask_agreement], selection=[asset], partition_key="mine",
                instance=instance, resources=resources, raise_on_error=False,
            )  # fmt: skip
            if done.success:
                return None
            error = done.filter_events(lambda event: event.is_step_failure)[0].step_failure_data.error
            while error.cause:
                error = error.cause
            return error.message

        yield run


@pytest.mark.parametrize(
    "edit",
    [
        ("title: Mine", "title: Ours"),
        ("num_samples: 20", "num_samples: 30"),
        ("gradcam: {}, lime: {num_samples: 20}", "gradcam: {}"),
    ],
)
def test_an_edit_that_does_not_concern_a_table_leaves_it_of_use(make, edit):
    assert make("gradcam_masks") is None
    assert make("mask_agreement", edit) is None


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (("layer4", "layer3"), "attribution.layer"),
        (("diorama/object", "diorama/scene"), "attribution.model"),
        (("layer: layer4", "layer: layer4\n  binarisation: {policy: otsu}"), "attribution.binarisation"),
        (("singles: 1", "singles: 2"), "attribution.images"),
    ],
)
def test_an_edit_that_concerns_it_is_named_with_what_to_do(make, edit, field):
    assert make("gradcam_masks") is None
    said = make("mask_agreement", edit)
    assert "the table of gradcam_masks, study mine: it was made before the study was changed" in said
    assert field in said and "xai run mine" in said
    assert make("gradcam_masks", edit) is None
    assert make("mask_agreement", edit) is None


def test_every_asset_that_another_reads_says_what_it_is_made_from():
    graph = study_job_definition().asset_layer.asset_graph
    names = {key.to_user_string() for key in graph.get_all_asset_keys()}
    read = {
        parent.to_user_string() for key in graph.get_all_asset_keys() for parent in graph.get(key).parent_keys
    }
    of_tables = {name for name in read if not name.endswith("_tables") and name != "explanation_drift"}
    assert of_tables <= set(READS) <= names


def test_every_field_that_is_named_is_one_of_a_study():
    study = find_study("demo", Settings.from_environment({})).study
    for asset in READS:
        for path in made_from(asset, study):
            part = Study
            for step in path.split("."):
                assert step in part.model_fields, path
                annotation = part.model_fields[step].annotation
                inner = (annotation, *getattr(annotation, "__args__", ()))
                part = next((one for one in inner if hasattr(one, "model_fields")), part)
