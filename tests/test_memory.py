"""The most memory that a block held is its own, not what came before it."""

import mmap

import pytest

from xai_assets import memory
from xai_assets.memory import MIB, PeakMemory


def hold(mib):
    """Past the allocator, which may keep what is freed."""
    with mmap.mmap(-1, mib * MIB) as held:
        for place in range(0, mib * MIB, 4096):
            held[place] = 1  # written to, so that it is resident


@pytest.fixture(autouse=True)
def counted_anew():
    if not (memory._PROC / "clear_refs").exists():
        pytest.skip("no record that can be started anew")


def test_a_block_is_told_from_what_came_before_it():
    with PeakMemory() as before:
        hold(300)
    with PeakMemory() as idle:
        hold(1)
    with PeakMemory() as more:
        hold(100)
    assert before.resident >= idle.resident + 200
    assert 80 <= more.resident - idle.resident <= 150


def test_what_an_inner_block_holds_is_the_outer_ones_as_well():
    with PeakMemory() as outer:
        hold(200)
        with PeakMemory() as first:
            hold(300)
        with PeakMemory() as second:
            hold(1)
    assert outer.resident == first.resident
    assert second.resident <= first.resident - 200


def test_what_an_outer_block_held_before_is_not_forgotten():
    with PeakMemory() as outer:
        hold(300)
        with PeakMemory() as inner:
            hold(1)
    assert outer.resident >= inner.resident + 200


def test_a_block_that_fails_is_closed():
    with pytest.raises(ValueError, match="no"), PeakMemory():
        raise ValueError("no")
    with PeakMemory() as alone:
        hold(1)
    assert memory._open == []
    assert alone.resident > 0
    assert alone.mib("cpu") == alone.resident
    assert alone.mib("cuda:0") == alone.gpu


def test_without_such_a_record_it_is_the_most_since_the_process_began(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROC", tmp_path / "nothing")
    with PeakMemory() as peak:
        hold(1)
    assert peak.resident > 10
