import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.world.streams import Stream, cos, power, random_bytes, sin, snap


def test_numbers_are_those_of_pcg64_raw_words():
    # The reference takes the 53 upper bits of each raw word, as Python's own random does with its generator.
    words = np.random.PCG64(np.random.SeedSequence((1, 2, 3))).random_raw(300)
    stream = Stream(1, 2, 3)
    assert [stream() for _ in range(300)] == [(int(word) >> 11) / 2**53 for word in words]


def test_the_first_numbers_never_change():
    stream = Stream(2026, 7)
    assert [round(stream(0, 1000)) for _ in range(6)] == [867, 6, 841, 567, 115, 438]
    assert random_bytes(8, 2026, 7).tolist() == [5, 72, 97, 170, 30, 49, 238, 221]


def test_random_bytes_are_the_raw_words_in_little_endian_order():
    words = np.random.PCG64(np.random.SeedSequence((5,))).random_raw(4).astype("<u8")
    assert random_bytes(30, 5).tobytes() == words.tobytes()[:30]


@given(st.floats(-1e4, 1e4), st.floats(0, 1e3), st.integers(0, 2**32))
def test_uniforms_stay_in_their_range(low, width, seed):
    stream = Stream(seed)
    assert all(low <= stream(low, low + width) <= low + width for _ in range(5))


@given(st.floats(-20, 20))
def test_functions_are_on_the_grid_and_near_the_true_value(angle):
    for ours, true in ((cos(angle), math.cos(angle)), (sin(angle), math.sin(angle))):
        assert abs(ours - true) <= 2.0**-21
        assert (ours * 2**20).is_integer()
    assert abs(power(1 + abs(angle), 0.5) - math.sqrt(1 + abs(angle))) <= 2.0**-21


@given(st.floats(-100, 100))
def test_a_last_place_difference_is_snapped_away(value):
    middle = snap(value)  # a grid point is farthest from where the rounding turns
    assert snap(math.nextafter(middle, math.inf)) == snap(math.nextafter(middle, -math.inf)) == middle


def test_choices_are_even():
    stream = Stream(11)
    counts = np.bincount([stream.integer(7) for _ in range(14_000)], minlength=7)
    assert counts.min() > 1800
    assert counts.max() < 2200


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 3, 4)])
def test_arrays_have_the_shape_asked_for_and_leave_the_unit_interval_never(shape):
    values = Stream(3).array(*shape)
    assert values.shape == shape
    assert values.min() >= 0
    assert values.max() < 1
