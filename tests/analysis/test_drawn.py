"""A picture is drawn once for the same tables, and anew for others."""

from types import SimpleNamespace

import pandas as pd

from xai_assets.analysis.drawn import drawn
from xai_assets.resources.store import ArtifactStore


def test_the_same_tables_are_drawn_once_and_others_anew(tmp_path):
    bench = SimpleNamespace(store=ArtifactStore(tmp_path))
    calls = []

    def draw():
        calls.append(len(calls))
        return b"\x89PNG" + bytes([len(calls)]), f"the {len(calls)}. picture"

    table = pd.DataFrame({"image_id": ["a"], "iou": [0.5], "seconds": [1.0]})
    first = drawn(bench, "mask_agreement", [table], draw)
    assert first == (b"\x89PNG\x01", "the 1. picture")
    assert drawn(bench, "mask_agreement", [table.assign(seconds=9.0)], draw) == first
    assert drawn(bench, "mask_agreement", [table.assign(iou=0.6)], draw)[1] == "the 2. picture"
    assert drawn(bench, "faithfulness", [table], draw)[1] == "the 3. picture"
    assert len(calls) == 3


def test_nothing_to_draw_is_asked_again(tmp_path):
    bench = SimpleNamespace(store=ArtifactStore(tmp_path))
    assert drawn(bench, "any", [], lambda: None) is None
    assert drawn(bench, "any", [], lambda: (b"png", "said")) == (b"png", "said")
