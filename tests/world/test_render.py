import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.world.description import describe
from xai_assets.world.objects import object_parts
from xai_assets.world.placement import LARGEST, SMALLEST
from xai_assets.world.render import render
from xai_assets.world.vocabulary import (
    CLASSES,
    COLOURS,
    LABEL,
    MATERIALS,
    PARTS,
    PIXEL_CATEGORIES,
    SCENES,
    SIDE,
    TEXTURES,
    VOCABULARY,
)

PROGRAM = """
import hashlib
from xai_assets.world.description import describe
from xai_assets.world.render import render
whole = hashlib.sha256()
for split, index, targets in [("test", 1, 1), ("demo", 2, 2), ("close", 4, 1), ("swatch", 3, 1)]:
    rendered = render(describe(split, index, targets=targets))
    whole.update(rendered.image.tobytes())
    for name in sorted(rendered.labels):
        whole.update(rendered.labels[name].tobytes())
print(whole.hexdigest())
"""


def test_a_fresh_process_draws_the_same_bytes(capsys):
    exec(compile(PROGRAM, "program", "exec"), {})
    here = capsys.readouterr().out
    there = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert len(here.strip()) == 64
    assert here == there


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(["train", "validation", "probe", "test", "demo"]),
    st.integers(0, 10**6),
    st.integers(1, 2),
)
def test_labels_are_consistent(split, index, targets):
    description = describe(split, index, targets=targets)
    rendered = render(description)
    again = render(description)
    assert (rendered.image == again.image).all()
    assert rendered.image.shape == (SIDE, SIDE, 3)
    assert rendered.image.dtype == np.uint8
    assert rendered.scene in SCENES
    for category in PIXEL_CATEGORIES:
        labels = rendered.labels[category]
        assert (labels == again.labels[category]).all()
        assert labels.shape == (SIDE, SIDE)
        assert labels.dtype == np.uint8
        assert labels.max() <= len(VOCABULARY[category])
    drawn = rendered.labels["object"]
    assert (drawn > 0).all()  # every pixel is some object, of some colour
    assert (rendered.labels["color"] > 0).all()
    assert not ((rendered.labels["material"] > 0) & (rendered.labels["texture"] > 0)).any()
    covered = np.zeros((SIDE, SIDE), int)
    for target, described in zip(rendered.targets, description.targets, strict=True):
        assert (drawn[target.mask] == LABEL["object"][target.class_name]).all()
        assert SMALLEST <= target.area / SIDE**2 <= LARGEST
        assert target.mask.sum() >= 0.6 * target.area
        own = {part.name for part in object_parts(target.class_name, described.shape_seed)}
        assert set(target.parts) <= own
        assert (sum(part.astype(int) for part in target.parts.values()) == target.mask).all()
        covered += target.mask
    assert covered.max() == 1
    # No other pixel bears a class: the classes are seen on targets only.
    of_classes = np.isin(drawn, [LABEL["object"][name] for name in CLASSES])
    assert (of_classes == covered.astype(bool)).all()


def test_the_tinted_picture_keeps_the_colours_that_its_labels_name():
    # Independent of the drawing: a surface labelled "blue" has to look bluer than one labelled "red".
    tones: dict[str, list[np.ndarray]] = {name: [] for name in COLOURS}
    for index in range(40):
        rendered = render(describe("validation", index))
        for name in COLOURS:
            here = rendered.labels["color"] == LABEL["color"][name]
            if here.sum() > 100:
                tones[name].append(rendered.image[here].mean(0))
    mean = {name: np.mean(found, axis=0) for name, found in tones.items()}
    red, green, blue = range(3)
    assert mean["red"][red] > mean["red"][blue] + 60
    assert mean["blue"][blue] > mean["blue"][red] + 60
    assert mean["green"][green] > mean["green"][red] + 20
    assert mean["white"].mean() > mean["grey"].mean() + 30 > mean["black"].mean() + 60


def test_a_swatch_is_one_surface_from_edge_to_edge():
    finishes = set()
    for index in range(30):
        rendered = render(describe("swatch", index))
        assert rendered.targets == ()
        assert rendered.scene == ""
        assert not rendered.labels["object"].any()
        assert not rendered.labels["part"].any()
        name = rendered.description.swatch.name
        for category, words in (("texture", TEXTURES), ("material", MATERIALS)):
            expected = LABEL[category][name] if name in words else 0
            assert (rendered.labels[category] == expected).all()
        finishes.add(name)
    assert len(finishes) > 10


def test_a_studio_has_no_scene():
    rendered = render(describe("close", 0))
    assert rendered.scene == ""
    assert (rendered.labels["object"][~rendered.targets[0].mask] == LABEL["object"]["wall"]).all()


def test_the_world_shows_all_its_words():
    seen = {category: np.zeros(len(VOCABULARY[category]) + 1, int) for category in PIXEL_CATEGORIES}
    for index in range(140):
        rendered = render(describe("train", index))
        for category, counts in seen.items():
            counts += np.bincount(rendered.labels[category].ravel(), minlength=len(counts))
    for category, counts in seen.items():
        unseen = [VOCABULARY[category][k] for k in np.flatnonzero(counts[1:] == 0)]
        assert not unseen, (category, unseen)
    assert len(PARTS) == 37


def test_pictures_have_contrast_and_no_clipped_flood():
    values = np.stack([render(describe("test", index)).image for index in range(40)])
    assert 80 < values.mean() < 170
    assert values.std(axis=(1, 2, 3)).min() > 15
    assert (values == 255).mean() < 0.1


@pytest.mark.parametrize("index", range(3))
def test_noise_is_grain_and_not_pattern(index):
    description = describe("validation", index)
    clean = replace(description, camera=replace(description.camera, noise=0.0, blur=0.0))
    grainy = replace(description, camera=replace(description.camera, noise=5.0, blur=0.0))
    before = render(clean).image
    difference = render(grainy).image.astype(float) - before
    inner = difference[(before > 30) & (before < 225)]
    assert abs(inner.mean()) < 1
    assert inner.std() == pytest.approx(5, rel=0.1)
