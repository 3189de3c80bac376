"""Assets by name, and as the selection box of the UI takes them."""

import pytest

from xai_assets.automation.selection import chosen
from xai_assets.build import study_job_definition
from xai_assets.errors import XaiError


@pytest.fixture(scope="module")
def job():
    return study_job_definition()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["lime_masks"], {"lime_masks"}),
        (["lime_masks", "images"], {"lime_masks", "images"}),
        (["+clip_dissect_concepts"], {"clip_dissect_concepts", "concept_embeddings", "unit_activations", "probe_set"}),
        (["1+clip_dissect_concepts"], {"clip_dissect_concepts", "concept_embeddings", "unit_activations", "probe_set"}),
        (["1+concept_embeddings+1"], {"probe_set", "concept_embeddings", "clip_dissect_concepts", "concept_tables"}),
        (["group:reports and not key:lime_report"],
         {"dissection_report", "cam_report", "comparison_report", "failures_report", "study_report"}),
    ],
)  # fmt: skip
def test_a_selection_is_what_the_graph_says(job, wanted, found):
    assert {key.to_user_string() for key in chosen(job, wanted)} == found


def test_everything_above_is_everything(job):
    assert len(chosen(job, ["+study_report"])) == len(job.asset_layer.asset_graph.get_all_asset_keys()) - 5


@pytest.mark.parametrize("wanted", ["lime_mask", "+nothing", "", "and and", "group:nobody"])
def test_what_selects_nothing_is_refused_with_names(job, wanted):
    with pytest.raises(XaiError, match="selects no asset"):
        chosen(job, [wanted])
