"""Charts as PNG, for places that show no SVG, such as the UI: the same numbers and marks as in the reports.

A method has its own mark and each order of removal its own line, so that no colour is needed to read them.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from xai_assets.reporting import drawing, names
from xai_assets.reporting.drawing import shade
from xai_assets.reporting.templating import number

_DPI = 110
_MIDDLE: dict[str, Any] = {"ha": "center", "va": "center", "color": drawing.INK}
_MARKS = {
    "circle": "o", "square": "s", "triangle": "^", "down": "v", "diamond": "D", "square-open": "s",
    "triangle-open": "^", "diamond-open": "D", "down-open": "v", "ring": "o",
}  # fmt: skip


def agreement_plate(methods: Sequence[str], pairs: Sequence[dict[str, Any]]) -> bytes:
    """The matrix of mean IoU between the methods' masks, with what chance gives below each number: PNG.

    Args:
        methods: keys, in the order of the rows.
        pairs: `method_a`, `method_b`, `iou` (with `mean`, or None) and `chance`, or None.
    """
    figure = Figure(figsize=(1.6 + 1.15 * len(methods), 1.1 + 0.72 * len(methods)))
    axes = figure.add_subplot()
    place = {key: at for at, key in enumerate(methods)}
    for pair in pairs:
        if pair["iou"] is None:
            continue
        mean = pair["iou"]["mean"]
        for a, b in ((pair["method_a"], pair["method_b"]), (pair["method_b"], pair["method_a"])):
            x, y = place[b], place[a]
            axes.add_patch(Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=shade(mean)))
            axes.text(x, y - 0.1, number(mean), weight="bold", **_MIDDLE)
            if pair["chance"] is not None:
                axes.text(x, y + 0.24, f"chance {number(pair['chance'])}", size=8, **_MIDDLE)
    titles = [names.method(key).title for key in methods]
    axes.set_xticks(range(len(methods)), titles)
    axes.set_yticks(range(len(methods)), titles)
    axes.xaxis.tick_top()
    axes.set_xlim(-0.5, len(methods) - 0.5)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.tick_params(length=0, labelcolor=drawing.INK)
    axes.spines[:].set_visible(False)
    return _png(figure)


def curves_plate(panels: Sequence[dict[str, Any]]) -> bytes:
    """Perturbation curves, one panel a baseline: whole lines remove the most relevant pixels first, dashed the least.

    Args:
        panels: as those of `curves.curves`.
    """
    figure = Figure(figsize=(4.4 * len(panels), 3.9))
    for at, panel in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), at)
        for line in panel["lines"]:
            style, first = names.method(line["key"]), line["order"] == "morf"
            x, y = np.array(line["points"], dtype=np.float64).T
            axes.plot(
                x, y, color=style.colour, linestyle="-" if first else "--", linewidth=0.9 if line["is_control"] else 1.5,
                marker="x" if line["key"] == "random" else _MARKS[style.shape], markersize=4,
                markerfacecolor="white" if style.shape.endswith(("open", "ring")) else style.colour,
                label=style.title if first and at == 1 else None,
            )  # fmt: skip
        axes.set_title(f"pixels replaced by: {panel['baseline']}", size=9.5, loc="left", color=drawing.INK)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of the pixels removed")
        axes.grid(color=drawing.LINE, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("probability of the class")
    figure.legend(loc="outside lower center", ncols=6, frameon=False, fontsize=8.5)
    return _png(figure)


def _png(figure: Figure) -> bytes:
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    made = io.BytesIO()
    figure.savefig(
        made, format="png", dpi=_DPI, metadata={"Software": None}
    )  # the same bytes for the same numbers
    return made.getvalue()
