import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation
from skimage.draw import polygon2mask

from xai_assets.world.canvas import Canvas, Outline, coverage
from xai_assets.world.objects import ATTACHED, DECIDING_PART, object_parts
from xai_assets.world.part import ROLES
from xai_assets.world.shapes import bar, ellipse, rectangle, smooth
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import CLASSES, LABEL, PARTS, SIDE


def area(polygon):
    x, y = polygon.T
    return abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def test_areas_are_those_of_geometry():
    assert area(ellipse(3, 4, 10, 5, 0.3, points=200)) == pytest.approx(np.pi * 50, rel=1e-3)
    assert area(bar(0, 0, 30, 40, 2)) == pytest.approx(100, rel=1e-6)
    square = rectangle(0, 0, 8, 8)
    assert area(smooth(square, 1)) == pytest.approx(64 - 4 * 2, rel=1e-9)  # four corners of legs 2 are cut


@settings(max_examples=30, deadline=None)
@given(st.floats(30, 90), st.floats(30, 90), st.floats(8, 28), st.floats(8, 28), st.floats(-3, 3))
def test_filling_agrees_with_scikit_image(x, y, rx, ry, turn):
    # OpenCV counts the pixels that the border passes through as inside: at most one more all around.
    shape = ellipse(x, y, rx, ry, turn)
    inside = polygon2mask((SIDE, SIDE), shape[:, ::-1])
    ours = coverage(shape, 0, 0, SIDE, SIDE) > 127
    assert not (inside & ~ours).any()
    assert not (ours & ~binary_dilation(inside, np.ones((3, 3)))).any()


@pytest.mark.parametrize("class_name", CLASSES)
def test_an_object_is_made_of_known_parts_in_its_frame(class_name):
    individuals = [object_parts(class_name, seed) for seed in range(12)]
    for parts in individuals:
        assert {part.name for part in parts} <= set(PARTS)
        assert {part.role for part in parts} <= set(ROLES)
        points = np.concatenate([part.polygon for part in parts])
        assert np.ptp(points, axis=0).max() == pytest.approx(2)
        assert (points.min(0) + points.max(0)) == pytest.approx(0, abs=1e-9)
        assert DECIDING_PART[class_name] in {part.name for part in parts}
    assert len({parts[0].polygon.tobytes() for parts in individuals}) == 12  # no two alike
    for attached in ATTACHED.get((class_name, DECIDING_PART[class_name]), ()):
        assert any(part.name == attached for parts in individuals for part in parts)


def test_classes_differ_in_their_parts():
    sets = {
        frozenset(part.name for seed in range(12) for part in object_parts(name, seed)) for name in CLASSES
    }
    assert len(sets) == len(CLASSES)


def test_a_polygon_beyond_the_edges_is_cut_and_one_outside_draws_nothing():
    canvas, outline = Canvas(), Outline()
    paint = Surface(Stream(1), "wood", "brown")
    for shape in (rectangle(-50, -50, -10, -10), rectangle(200, 3, 240, 9)):
        canvas.draw(shape, paint, "house", "roof", outline=(9, 9, 9), target=1)
        outline.add(shape)
    assert not canvas.image.any()
    assert not canvas.labels.any()
    assert not outline.mask.any()
    canvas.draw(rectangle(-50, 100, 300, 300), paint, "house", "roof", target=2)
    assert (canvas.labels[0, 101:] == LABEL["object"]["house"]).all()
    assert (canvas.target[101:] == 2).all()
    assert not canvas.target[:99].any()
