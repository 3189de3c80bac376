"""How often words are present by chance: the same choice of word, for images in another order."""

import numpy as np
import pytest

from xai_assets.dissection.clip_dissect import best_words, dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import CosSimilarity, RankReorder, SoftWPMI
from xai_assets.dissection.presence import WordTruth, presence
from xai_assets.dissection.presence_null import permutations_for, presence_null
from xai_assets.dissection.word_control import FEWEST_TOP, on_part, word_control

IMAGES, WORDS, TOP = 200, 12, 10
SOFT = SoftWPMI(top_k=20, a=10)


def probe(seed):
    generator = np.random.default_rng(seed)
    present = generator.random((IMAGES, WORDS)) < generator.uniform(0.05, 0.3, WORDS)
    cosines = 0.2 + 0.1 * present + 0.03 * generator.standard_normal(present.shape)
    truth = WordTruth(present, np.ones(WORDS, bool))
    return generator, ConceptSpace.from_similarity(cosines), truth


def null(space, values, truth, parameters=SOFT, **options):
    living = np.ones(values.shape[1], bool)
    return presence_null(space, values, living, truth, parameters, top_k=TOP, **options)


def noise(generator, units=24):
    return generator.standard_normal((IMAGES, units)).astype(np.float32)


def test_the_observed_mean_is_that_of_the_words_and_top_images():
    generator, space, truth = probe(0)
    values = noise(generator)
    words = dissect(space, {"l": values}, SOFT)["l"].concepts[:, 0]
    top = np.argsort(-values, axis=0)[:TOP]
    assert null(space, values, truth, permutations=19).observed == pytest.approx(
        np.mean([truth.present[top[:, unit], word].mean() for unit, word in enumerate(words)])
    )


@pytest.mark.parametrize("parameters", [SOFT, CosSimilarity(), RankReorder(top_fraction=0.1)])
def test_layers_side_by_side_have_the_words_that_each_has_alone(parameters):
    generator, space, _ = probe(1)
    layers = [noise(generator, 5) for _ in range(3)]
    together = best_words(space, np.concatenate(layers, axis=1), parameters, together=5)
    assert together.tolist() == [
        word for layer in layers for word in dissect(space, {"l": layer}, parameters)["l"].concepts[:, 0]
    ]


def test_words_of_noise_are_present_more_often_than_in_any_image_and_no_more_than_by_chance():
    p, bases = [], []
    for seed in range(60):
        generator, space, truth = probe(seed)
        values = noise(generator, 8)
        found = null(space, values, truth, permutations=99, seed=seed)
        p.append(found.p)
        words = best_words(space, values, SOFT)
        bases.append(found.chance - truth.present.mean(0)[words].mean())
    assert np.mean(bases) > 0.03  # what the choice alone gives
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60) and 0.3 < np.mean(p) < 0.75


def test_copies_of_one_unit_are_no_more_than_one_unit():
    beyond = 0
    for seed in range(40):
        generator, space, truth = probe(seed)
        beyond += (
            null(space, np.repeat(noise(generator, 1), 24, axis=1), truth, permutations=99, seed=seed).p
            <= 0.05
        )
    assert beyond <= 6  # of 40, 5 % with 99 % certainty


def test_units_that_follow_words_are_above_chance():
    generator, space, truth = probe(3)
    values = noise(generator)
    values[:, :WORDS] += 3 * truth.present
    found = null(space, values, truth)
    assert found.p == 2 / 200 and found.observed > found.chance + 0.2


def test_without_active_units_or_known_words_there_is_none():
    generator, space, truth = probe(4)
    assert null(space, np.zeros((IMAGES, 3), np.float32), truth) is None
    assert null(space, noise(generator, 3), WordTruth(truth.present, np.zeros(WORDS, bool))) is None


def test_presence_is_not_told_of_words_that_the_labels_do_not_know():
    truth = WordTruth(np.array([[True, False], [False, False]]), np.array([True, False]))
    found = presence(truth, np.array([[0, 0], [1, 1]]), np.array([0, 1]))
    assert found[0] == 0.5 and np.isnan(found[1])


def test_many_layers_get_permutations_enough_for_holm():
    for layers in (1, 3, 12, 40):
        assert 2 / (permutations_for(layers) + 1) * layers < 0.05


def test_a_part_of_the_probe_set_has_the_same_share_of_top_images():
    assert on_part(SoftWPMI(top_k=100), 0.25).top_k == 25
    assert on_part(SoftWPMI(top_k=100), 0.01).top_k == FEWEST_TOP and on_part(SOFT, 1).top_k == 20
    assert on_part(CosSimilarity(), 0.25) == CosSimilarity()


def test_words_of_a_trained_network_beat_those_of_shuffled_ones_and_theirs_do_not():
    generator, space, truth = probe(5)
    living = np.zeros(24, bool)
    others = [(noise(generator), living) for _ in range(20)]
    trained = noise(generator)
    trained[:, :WORDS] += 3 * truth.present
    ids = [str(image) for image in range(IMAGES)]
    found = word_control(space, (trained, living), others, SOFT, ids=ids, truth=truth)
    assert found.units.p_network == found.p_presence == pytest.approx(1 / 21)
    assert found.units.beyond[:WORDS].sum() >= WORDS - 2 and found.units.beyond[WORDS:].sum() <= 2
    assert found.presence > found.presence_shuffled + 0.1
    again = word_control(space, others[0], [*others[1:], (noise(generator), living)], SOFT, ids=ids)
    assert not again.units.beyond.any() and again.presence is again.p_presence is None
