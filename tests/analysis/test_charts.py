"""Charts for assets' pages: a PNG of the table's own numbers, the same bytes for the same table, none of nothing."""

import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.analysis.charts import agreement_chart, curves_chart
from xai_assets.reporting import plates
from xai_assets.reporting.templating import number

STUDY = SimpleNamespace(name="mine", title="Mine", seed=0)


@pytest.fixture
def texts(monkeypatch):
    """What stands in the figures that are drawn."""
    found = []
    drawn = plates._png

    def png(figure: Figure):
        found.extend(text.get_text() for axes in figure.axes for text in axes.texts)
        found.extend(line.get_label() for axes in figure.axes for line in axes.lines)
        return drawn(figure)

    monkeypatch.setattr(plates, "_png", png)
    return found


def test_the_agreement_chart_has_the_mean_iou_of_every_pair(texts):
    small = plausible(3, 0, layers=SMALL)
    table, summary = small.mask_agreement, small.agreement_summary
    png, said = agreement_chart(SimpleNamespace(study=STUDY), table, summary)
    of_masks = summary[summary["metric"] == "iou"]
    assert len(of_masks) == 6
    for row in of_masks.itertuples():
        assert number(row.mean) in texts
        assert f"chance {number(row.chance)}" in texts
    assert "Mean IoU of the masks over 3 images" in said
    assert Image.open(io.BytesIO(png)).format == "PNG"
    assert agreement_chart(SimpleNamespace(study=STUDY), table, summary)[0] == png


def bench(curves):
    return SimpleNamespace(study=STUDY, store=SimpleNamespace(get=lambda kind, key: (curves[key], {})))


def test_the_curves_chart_has_a_line_of_its_own_for_every_method_and_order(texts):
    points = np.array([[0.0, 0.5, 1.0], [0.9, 0.4, 0.1]])
    curves = {key: {"blur.morf": points, "blur.lerf": points} for key in ("a", "b")}
    rows = [
        ("x", 0, "c", "lime", False, "a"),
        ("x", 0, "c", "random", True, "b"),
        ("x", 0, "c", "ones", True, None),
    ]
    columns = ["image_id", "target_index", "target_name", "method", "is_control", "artifact"]
    table = pd.DataFrame(rows, columns=columns)
    png, said = curves_chart(bench(curves), table)
    assert {"LIME", "Random map"} <= set(texts) and len(texts) == 4
    assert "mean over 1 image." in said
    assert Image.open(io.BytesIO(png)).size[0] > 300
    assert curves_chart(bench(curves), table)[0] == png


def test_of_nothing_there_is_no_chart():
    assert agreement_chart(bench({}), pd.DataFrame(), pd.DataFrame()) is None
    columns = ["image_id", "target_index", "target_name", "method", "is_control", "artifact"]
    assert curves_chart(bench({}), pd.DataFrame(columns=columns)) is None
