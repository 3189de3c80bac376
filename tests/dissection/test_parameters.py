"""CLIP-Dissect in a study: the similarity function by name, with what belongs to it and nothing else."""

import pytest
from pydantic import TypeAdapter, ValidationError

from xai_assets.dissection import parameters

CLIP_DISSECT = TypeAdapter(parameters.ClipDissect)


@pytest.mark.parametrize(
    ("name", "kind", "constants"),
    [
        (
            "soft_wpmi",
            parameters.SoftWPMI,
            {"top_k": 100, "a": 10, "lam": 1, "min_prob": 1e-7, "p_start": 0.998, "p_end": 0.97},
        ),
        ("wpmi", parameters.WPMI, {"top_k": 28, "a": 2, "lam": 0.6, "min_prob": 1e-7}),
        ("rank_reorder", parameters.RankReorder, {"p": 3, "top_fraction": 0.05, "scale_p": 0.5}),
        ("cos_similarity", parameters.CosSimilarity, {}),
        ("cos_similarity_cubed", parameters.CosSimilarityCubed, {"min_norm": 1e-3}),
    ],
)
def test_each_function_has_the_published_constants(name, kind, constants):
    found = CLIP_DISSECT.validate_python({"similarity": name})
    assert type(found) is kind
    common = {"similarity": name, "pooling": "avg", "permutations": 1000, "memory_mib": 1024}
    assert found.model_dump() == common | constants
    assert CLIP_DISSECT.validate_python(found) == found


def test_soft_wpmi_is_what_is_meant_where_nothing_is_named():
    assert CLIP_DISSECT.validate_python({"a": 0.5}) == parameters.SoftWPMI(a=0.5)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"similarity": "wpmi", "p_start": 0.9}, "p_start"),
        ({"top_kk": 3}, "top_kk"),
        ({"similarity": "cosine"}, "similarity is one of soft_wpmi, wpmi"),
        ({"p_start": 0.5, "p_end": 0.6}, "p_end is not above p_start"),
        ({"pooling": "median"}, "pooling"),
        ({"permutations": 3}, "permutations"),
    ],
)
def test_what_does_not_belong_is_an_error(given, match):
    with pytest.raises(ValidationError, match=match):
        CLIP_DISSECT.validate_python(given)
