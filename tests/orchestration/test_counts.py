"""Counts of steps in other processes: what was written is read, and nothing else is believed."""

import pytest

from xai_assets.execution import counts


def test_what_a_step_writes_is_read_while_somebody_looks():
    assert counts.writer("lime_masks") is None and counts.read("lime_masks") is None
    with counts.collected() as read:
        progress = counts.writer("lime_masks")
        assert read("lime_masks") is None
        progress(3, 12)
        assert read("lime_masks") == (3, 12)
        progress(4, 12)  # too soon after the last
        assert read("lime_masks") == (3, 12)
        progress(12, 12)
        assert read("lime_masks") == (12, 12)
        folder = counts.folder()
    assert not folder.exists() and counts.read("lime_masks") is None
    progress(1, 2)  # a step that outlives the display harms nothing


@pytest.mark.parametrize("said", ["", "3", "3 12", "a b\n", "3 12\n3 12\n", "-1 2\n", "1" * 99 + " 2\n"])
def test_half_written_counts_are_none(said):
    with counts.collected() as read:
        (counts.folder() / "step").write_text(said, encoding="ascii")
        assert read("step") is None
