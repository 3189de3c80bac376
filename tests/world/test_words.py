import numpy as np
import pytest

from xai_assets.world.captions import LEAST_PIXELS, caption, facts
from xai_assets.world.concepts import ABSENT, concepts
from xai_assets.world.description import describe
from xai_assets.world.images import study_images
from xai_assets.world.render import render
from xai_assets.world.synonyms import SURFACE_FORMS, surface_forms
from xai_assets.world.vocabulary import CATEGORIES, CLASSES, LABEL, PIXEL_CATEGORIES, SUPERCLASS, VOCABULARY

ALL_WORDS = {word for words in VOCABULARY.values() for word in words}


@pytest.fixture(scope="module")
def pictures():
    return [render(describe("validation", index)) for index in range(8)]


def test_facts_are_counts_of_the_labels(pictures):
    for rendered in pictures:
        found = facts(rendered)
        for category in PIXEL_CATEGORIES:
            present = dict(found.present[category])
            for word in VOCABULARY[category]:
                count = int((rendered.labels[category] == LABEL[category][word]).sum())
                assert present.get(word, 0) == (count if count >= LEAST_PIXELS[category] else 0)


def test_captions_say_only_what_is_true(pictures):
    rng = np.random.default_rng(0)
    glue = set("a an of photo picture image the in on with near and animal vehicle gridded".split())
    for rendered in pictures:
        found = facts(rendered)
        true = {word for present in found.present.values() for word, _ in present}
        true |= {*found.class_names, found.scene, found.finish, found.color}
        may = glue | {part for word in true for form in surface_forms(word) for part in form.split()}
        said = {caption(found, rng) for _ in range(150)}
        for text in said:
            assert set(text.replace(",", " ").split()) <= may, text
        assert len(said) > 75


def test_a_caption_s_animal_is_one(pictures):
    rng = np.random.default_rng(1)
    for rendered in pictures:
        kind = SUPERCLASS[rendered.targets[0].class_name]
        said = " ".join(caption(facts(rendered), rng) for _ in range(120)).replace(",", " ").split()
        assert set(said) & {"animal", "vehicle"} <= {kind}


def test_a_swatch_is_called_by_its_surface():
    rng = np.random.default_rng(0)
    for index in range(10):
        rendered = render(describe("swatch", index))
        finish, text = rendered.description.swatch, caption(facts(rendered), rng)
        assert any(form in text for word in (finish.name, finish.color) for form in surface_forms(word))


def test_concepts_are_the_world_s_words_and_words_it_has_not():
    found = concepts()
    names = [concept.name for concept in found]
    assert len(set(names)) == len(names)
    assert {c.name for c in found if c.category != ABSENT} == ALL_WORDS
    absent = [c for c in found if c.category == ABSENT]
    assert 150 <= len(absent) <= 250
    forms = {form for word in ALL_WORDS for form in surface_forms(word)}
    assert not {c.name for c in absent} & forms
    assert all(c.name in VOCABULARY[c.category] for c in found if c.category in CATEGORIES)
    assert concepts(absent=False) == [c for c in found if c.category != ABSENT]


def test_surface_forms_belong_to_one_word_and_start_with_it():
    assert set(SURFACE_FORMS) <= ALL_WORDS
    forms = [form for word in ALL_WORDS for form in surface_forms(word)]
    assert len(set(forms)) == len(forms)
    assert all(word == forms[0] for word, forms in SURFACE_FORMS.items())


def test_study_images_show_every_class_and_then_pairs():
    shown = study_images("demo", 12, 2)
    assert [picture.targets[0].class_name for picture in shown[:12]] == list(CLASSES)
    assert [len(picture.targets) for picture in shown] == [1] * 12 + [2] * 2
    assert len({picture.id for picture in shown}) == 14
    assert [picture.id for picture in study_images("demo", 3, 1)] == [p.id for p in (*shown[:3], shown[12])]
