"""Images are held against known ones: the distance is Mahalanobis', the law of far ones exact, and few cannot tell."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from xai_assets.dissection.domain_reference import (
    FAR,
    FITTED,
    HELD_OUT,
    MAX_P,
    Reference,
    fewest,
    numbers_of,
    reference_of,
    said_of_strange,
)

TOTAL = FITTED + HELD_OUT


def numbers(images=TOTAL, seed=0, moved=0.0, features=300):
    rng = np.random.default_rng(seed)
    few = rng.standard_normal((images, 5)) @ np.random.default_rng(99).standard_normal((5, features))
    return 3 + few + rng.standard_normal((images, features)) + moved


def test_distances_are_those_of_the_shrunk_covariance():
    given = numbers()
    scaled = (given[:FITTED] - given[:FITTED].mean(0)) / given[:FITTED].std(0)
    theirs = LedoitWolf(assume_centered=True).fit(scaled)
    new = numbers(7, seed=1)
    ours = reference_of(given)
    inverse = np.linalg.inv(theirs.covariance_)
    wanted = [one @ inverse @ one for one in (new - ours.mean) / ours.scale]
    assert ours.distances(new) == pytest.approx(wanted)
    assert (ours.distances(given[FITTED:]) > ours.limit).sum() == FAR - 1
    again = Reference.from_arrays(ours.to_arrays())
    assert again.strange(new) == ours.strange(new) and again.limit == ours.limit


@pytest.mark.parametrize("images", [2, 3, 5, 6, 8, 10, 12, 24, 30])
def test_the_law_of_far_ones_is_that_of_exchangeable_images(images):
    rng = np.random.default_rng(images)
    values = rng.random((20_000, HELD_OUT + images))
    limit = np.sort(values[:, :HELD_OUT], axis=1)[:, -FAR]
    far = (values[:, HELD_OUT:] > limit[:, None]).sum(1)
    reference = reference_of(numbers(features=3))
    p = {k: reference._replace(limit=0.5).strange(_with(k, images, reference)).p for k in range(images + 1)}
    found = np.array([p[k] for k in far])
    assert np.mean(found <= MAX_P) <= MAX_P + 0.003 and found.min() > 0
    assert p[1] == pytest.approx(np.mean(far >= 1), abs=0.02) and p[0] == pytest.approx(1)


def _with(far, images, reference):
    """Images of which so many are far from a reference whose limit is 0.5."""
    return np.stack([reference.mean + (100 if at < far else 0) * reference.scale for at in range(images)])


def test_two_are_enough_and_one_is_not():
    reference = reference_of(numbers(features=40))
    assert fewest() == 2
    far = reference.mean + 50 * reference.scale
    assert reference.strange(np.stack([far])).known is None
    assert reference.strange(np.stack([far] * 2)).known is False
    assert reference.strange(np.stack([reference.mean] * 12)).known is True
    assert said_of_strange(reference.strange(np.stack([far])))[1] is None
    said, known = said_of_strange(reference.strange(np.stack([far] * 12)))
    assert known is False and said.startswith(
        "12 of 12 images lie farther from the scenes that it knows than 95%"
    )


def test_known_images_are_known_and_others_are_not():
    reference = reference_of(numbers())
    assert np.mean([reference.strange(numbers(12, seed)).known for seed in range(1, 101)]) >= 0.95
    assert not any(reference.strange(numbers(12, seed, moved=1.5)).known for seed in range(1, 21))


def test_numbers_are_means_and_log_spreads():
    rng = np.random.default_rng(0)
    values = rng.normal(2, 3, (4, 5, 64))
    moments = {"layer": np.stack([values.mean(2), (values**2).mean(2)], -1)}
    assert numbers_of(moments) == pytest.approx(
        np.concatenate([values.mean(2), np.log(values.std(2) + 1e-4)], 1)
    )
    with pytest.raises(ValueError, match="400"):
        reference_of(numbers(10))
