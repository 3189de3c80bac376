"""Every similarity function against its formula, at any block width, and what each refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dissection import formulas
from xai_assets.dissection.clip_dissect import dissect, similarity_scores
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import (
    WPMI,
    CosSimilarity,
    CosSimilarityCubed,
    RankReorder,
    SoftWPMI,
)
from xai_assets.errors import XaiError

CASES = [
    SoftWPMI(top_k=20),
    SoftWPMI(top_k=60, a=50.0, lam=0.4, p_start=0.9, p_end=0.2, min_prob=1e-5),
    SoftWPMI(top_k=300, a=200.0),
    WPMI(),
    WPMI(top_k=60, a=80.0, lam=1.0, min_prob=1e-4),
    RankReorder(),
    RankReorder(p=1.5, top_fraction=0.3, scale_p=1.0),
    CosSimilarity(),
    CosSimilarityCubed(),
    CosSimilarityCubed(min_norm=10.0),
]
"""The published constants and others; a large `a` makes one product overflow, so that several are needed."""


def data(images=300, units=9, concepts=17, seed=3):
    rng = np.random.default_rng(seed)
    cosines = rng.normal(0.25, 0.03, (images, concepts)).astype(np.float32)
    activations = np.maximum(rng.standard_normal((images, units)) + np.linspace(-1, 2, units), 0)
    return cosines, activations.astype(np.float32)


def formula(parameters, cosines, activations):
    own = parameters.model_dump(exclude={"similarity", "pooling", "permutations", "memory_mib"})
    return getattr(formulas, parameters.similarity)(cosines, activations, **own)


@pytest.mark.parametrize("parameters", CASES, ids=lambda found: found.similarity)
def test_scores_follow_the_formula(parameters):
    cosines, activations = data()
    found = similarity_scores(ConceptSpace.from_similarity(cosines), activations, parameters)
    assert found.dtype == np.float32 and found.shape == (9, 17)
    np.testing.assert_allclose(found, formula(parameters, cosines, activations), rtol=2e-6, atol=2e-5)


@pytest.mark.parametrize("parameters", CASES, ids=lambda found: found.similarity)
def test_the_best_two_are_those_of_the_scores(parameters):
    cosines, activations = data(concepts=300)
    space = ConceptSpace.from_similarity(cosines)
    found = dissect(space, {"l": activations}, parameters.model_copy(update={"permutations": 99}))["l"]
    scores = similarity_scores(space, activations, parameters)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :2]
    np.testing.assert_array_equal(found.concepts, order)
    np.testing.assert_array_equal(found.scores, np.take_along_axis(scores, order, 1))


def features(images=150, concepts=150, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((images, 24)) + 2, rng.standard_normal((concepts, 24)) + 2


@pytest.mark.parametrize(
    "parameters", [SoftWPMI(), WPMI(), RankReorder(top_fraction=0.1), CosSimilarity(), CosSimilarityCubed()],
    ids=lambda found: found.similarity,
)  # fmt: skip
@settings(max_examples=4, deadline=None)
@given(memory=st.integers(1_000_000, 3_000_000), concepts=st.integers(2, 300))
def test_neither_memory_nor_company_changes_a_bit(parameters, memory, concepts):
    parameters = parameters.model_copy(update={"permutations": 99})
    images, texts = features(concepts=concepts)
    layers = {"a": data(150, 5)[1], "b": data(150, 11, seed=5)[1]}
    whole = dissect(ConceptSpace(images, texts), layers, parameters)
    tight = ConceptSpace(images, texts, memory=memory)
    for name, activations in layers.items():
        found = dissect(tight, {name: activations}, parameters)[name]
        for kind in ("concepts", "scores", "null"):
            np.testing.assert_array_equal(getattr(found, kind), getattr(whole[name], kind))


def test_cosines_are_kept_only_where_there_is_room_for_them():
    images, texts = features()
    roomy, tight = ConceptSpace(images, texts), ConceptSpace(images, texts, memory=110_000)
    for space, kept in ((roomy, True), (tight, False)):
        first, second = (next(iter(space.strips()))[1] for _ in range(2))
        assert (first is second) is kept
    np.testing.assert_array_equal(
        np.hstack([strip.numpy().copy() for _, strip in roomy.strips()]),
        np.hstack([strip.numpy().copy() for _, strip in tight.strips()]),
    )


def test_probabilities_are_the_softmax_and_within_their_bounds():
    cosines = data(concepts=200)[0]
    space = ConceptSpace.from_similarity(cosines)
    softmax = space.softmax(30.0)
    assert space.softmax(30.0) is softmax  # once
    expected = formulas._softmax(cosines.astype(np.float64), 30.0)
    strip = next(iter(space.strips()))[1]
    np.testing.assert_allclose(softmax.of(strip, strip.clone()), expected[:, : strip.shape[1]], rtol=2e-6)
    assert 0 < softmax.smallest <= expected.min() and softmax.largest == pytest.approx(expected.max())


def test_a_negative_mean_cosine_is_the_worst_fit_and_no_nan():
    cosines, activations = data()
    cosines[:, 4] -= 1
    found = similarity_scores(ConceptSpace.from_similarity(cosines), activations, RankReorder())
    assert np.isfinite(found).all() and (found.argmin(1) == 4).all()


def test_a_unit_that_never_changes_is_not_ranked():
    cosines, activations = data()
    activations[:, 2] = 0
    for parameters in CASES:
        space = ConceptSpace.from_similarity(cosines)
        found = dissect(space, {"l": activations}, parameters.model_copy(update={"permutations": 99}))["l"]
        assert not found.ranked[2] and found.ranked[6:].all() and np.isfinite(found.scores).all()
        assert np.isfinite(found.null).all()


def fails(match, cosines=None, activations=None, parameters=None):
    usual = data(12, 4, 3)
    space = ConceptSpace.from_similarity(usual[0] if cosines is None else cosines)
    with pytest.raises(XaiError, match=match):
        dissect(space, {("m", "l"): usual[1] if activations is None else activations}, parameters)


def test_unfit_input_is_named():
    few = SoftWPMI(top_k=10)
    fails("top_k = 13.*12 probe images.*12 or less", parameters=SoftWPMI(top_k=13))
    fails("top_fraction = 0.05.*0 of 12", parameters=RankReorder())
    broken = np.ones((12, 4), np.float32)
    broken[5, 2] = np.nan
    fails("m l: unit 2 .*on image 5", activations=broken, parameters=few)
    fails("of 11 images.*of 12", activations=np.ones((11, 4)), parameters=few)


def test_unfit_spaces_are_named():
    ok = np.ones((3, 4))
    for images, texts, match in (
        (ok, np.array([[1.0, 1, 1, 1], [0, 0, 0, 0]]), "text embedding 1"),
        (np.where(np.eye(3, 4) > 0, np.nan, ok), ok, "image embedding 0"),
        (ok, np.ones((3, 5)), "4 and 5 dimensions"),
        (ok, np.ones((1, 4)), "1 concept"),
    ):
        with pytest.raises(XaiError, match=match):
            ConceptSpace(images, texts)
    with pytest.raises(XaiError, match=r"similarities.*no cosines, or not finite"):
        ConceptSpace.from_similarity(np.array([[0.1, np.nan]]))


def test_memory_that_no_block_fits_into_is_an_error():
    images, texts = features()
    with pytest.raises(XaiError, match=r"memory_mib.*MiB more for 150 images"):
        dissect(ConceptSpace(images, texts, memory=80_000), {"l": data(150)[1]}, SoftWPMI())
