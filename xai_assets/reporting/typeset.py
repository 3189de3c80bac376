"""The glossary's formulas, set by Matplotlib's mathtext as outlines: SVG that needs no font and is the same everywhere.

A definition's `formula` is the same in one line of text; it is the alt text of what is drawn here.
"""

from functools import cache

import numpy as np
from markupsafe import Markup, escape
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

COLOUR = "#0f2f3d"
WIDEST = 130.0
"""mm: the glossary's column."""

FORMULAS: dict[str, tuple[str, ...]] = {
    "gradcam": (
        r"$\mathrm{ReLU}\left(\sum_k\, w_k A_k\right),\quad w_k = \underset{x,y}{\mathrm{mean}}\;"
        r"\dfrac{\partial s}{\partial A_k(x,y)}$",
    ),
    "ablationcam": (
        r"$w_k = \dfrac{s - s_k}{s}$,   $s_k$: the score without channel $k$;   denominator magnitude divides by $|s|$",
    ),
    "scorecam": (
        r"$w_k = \underset{k}{\mathrm{softmax}}\; s\left(x \cdot \mathrm{up}(A_k)\right)$,"
        r"   up: enlarged and scaled to 0..1",
        r"weighting increase takes $p\left(x \cdot \mathrm{up}(A_k)\right) - p(0)$",
    ),
    "hirescam": (
        r"$\mathrm{ReLU}\left(\sum_k\, \dfrac{\partial s}{\partial A_k(x,y)}\, A_k(x,y)\right)$",
    ),
    "gradcampp": (
        r"$w_k = \sum_{x,y}\, \alpha_k\,\mathrm{ReLU}(g_k),\quad g_k = \dfrac{\partial s}{\partial A_k(x,y)},\quad "
        r"\alpha_k = \dfrac{g_k^2}{2\,g_k^2 + g_k^3\,\sum_{x,y}\, A_k}$",
    ),
    "xgradcam": (r"$w_k = \dfrac{\sum_{x,y}\, g_k(x,y)\,A_k(x,y)}{\sum_{x,y}\, A_k(x,y)}$",),
    "layercam": (
        r"$\mathrm{ReLU}\left(\sum_k\, \mathrm{ReLU}\left(\dfrac{\partial s}{\partial A_k(x,y)}\right) A_k(x,y)\right)$",
    ),
    "eigencam": (
        r"$\mathrm{ReLU}(A\,v)$,   $v$: the first right singular vector of the centred activations",
    ),
    "lime": (
        r"$\underset{w}{\mathrm{argmin}}\;\sum_z\, \pi(z)\,\left(f(z) - w \cdot z\right)^2 + \mathrm{ridge},\quad "
        r"\pi(z) = \sqrt{\exp\left(-\,d(z)^2 / \mathrm{kernel}^2\right)}$",
    ),
    "iou": (r"$\dfrac{|A \cap B|}{|A \cup B|}$",),
    "dice": (r"$\dfrac{2\,|A \cap B|}{|A| + |B|}$",),
    "average_precision": (
        r"$\sum_k\, \left(R_k - R_{k-1}\right) P_k$   over the map’s distinct values from the highest",
    ),
    "energy": (
        r"$\dfrac{\sum_{\mathrm{inside\;the\;truth}} \max(\mathrm{map},\,0)}{\sum\, \max(\mathrm{map},\,0)}$",
    ),
    "difference": (
        r"$z_a - z_b = \log\dfrac{p_a}{p_b}$;   faithfulness: $\dfrac{p_a}{p_a + p_b}$",
    ),
    "decision": (
        r"$2 / 2^n$ is the smallest $p$ that $n$ images can have by flipping signs, $1 / n!$ by pairing anew",
    ),
    "netdissect": (r"$\mathrm{IoU} = \dfrac{|M \cap L|}{|M \cup L|}$   over the whole probe set",),
    "clip_dissect": (
        r"$\log p(X|c) - \lambda\,\log\;\underset{\mathrm{units}}{\mathrm{mean}}\; p(X^{\prime}|c)$",
        r"$\log p(X|c) = \sum_{x \in X}\, \log\left(1 + p(x)\,(P(c|x) - 1)\right)$",
    ),
    "beyond_chance": (
        r"$p = \dfrac{1 + \mathrm{orders\;as\;good}}{1 + \mathrm{orders}}$;   of a layer: "
        r"$\dfrac{1 + \mathrm{networks\;with\;as\;many\;units}}{1 + \mathrm{networks}}$",
    ),
    "presence": (r"$p = \dfrac{2\,(1 + \mathrm{orders\;with\;as\;many})}{1 + \mathrm{orders}}$",),
    "jaccard": (r"$\dfrac{|A \cap B|}{|A \cup B|}$",),
    "recall": (
        r"$\mathrm{recall} = \dfrac{\mathrm{right}}{\mathrm{images\;with\;the\;label}},\quad "
        r"\mathrm{precision} = \dfrac{\mathrm{right}}{\mathrm{images\;with\;the\;answer}}$",
    ),
    "ece": (r"$\mathrm{ECE} = \sum_b\, \dfrac{n_b}{n}\;|\,\mathrm{right}_b - \mathrm{probability}_b\,|$",),
    "average_drop": (
        r"$\dfrac{\max\left(0,\; p(\mathrm{image}) - p(\mathrm{image} \cdot \mathrm{scaled\;map})\right)}"
        r"{p(\mathrm{image})}$",
    ),
    "grounding": (
        r"$\dfrac{\sum_c\, \mathrm{fall}(c)\,\left(\mathrm{energy}(c) - \mathrm{area}(c)\right)}"
        r"{\sum_c\, \mathrm{fall}(c)}$"
        r"   over the changes $c$ that lower the probability",
    ),
    "max_sensitivity": (
        r"$\underset{|\delta| \leq \mathrm{radius}}{\max}\;"
        r"\dfrac{\Vert \mathrm{map}(\mathrm{view} + \delta) - \mathrm{map}(\mathrm{view}) \Vert}"
        r"{\Vert \mathrm{map}(\mathrm{view}) \Vert}$",
    ),
    "redrawn": (
        r"$\underset{\mathrm{others}}{\mathrm{mean}}\; \dfrac{\Vert \mathrm{other} - \mathrm{map} \Vert}"
        r"{\Vert \mathrm{map} \Vert}$   over maps of other images, at this map’s mean and spread",
    ),
    "lime_vsi": (
        r"$\dfrac{|\,\mathrm{top\;features\;in\;common}\,|}{\mathrm{features}}$,   mean over pairs of seeds",
    ),
}  # fmt: skip
"""Lines of mathtext by the key of the definition. A formula that is a sentence is none of these: it is set as text."""

_POINTS = 10.4
_MM = 25.4 / 72
_UNITS = 100
"""Of the drawing a mm: coordinates are whole numbers."""
_GAP = 1.4
_LETTERS = {Path.MOVETO: "m", Path.LINETO: "l", Path.CURVE3: "q", Path.CURVE4: "c"}
_POINTS_OF = {Path.MOVETO: 1, Path.LINETO: 1, Path.CURVE3: 2, Path.CURVE4: 3, Path.CLOSEPOLY: 1}


@cache
def typeset(key: str, formula: str) -> Markup:
    """The formula of a definition as inline SVG whose alt text is `formula`; "" where it is set as text."""
    if key not in FORMULAS:
        return Markup("")
    drawn, top, width = [], 0.0, 0.0
    for line in FORMULAS[key]:
        path = outline(line)
        low, high = path.get_extents().get_points()
        # SVG counts down from the top, the outline up from the line of writing.
        across, up = np.asarray(path.vertices, dtype=np.float64).T
        placed = np.stack([across - low[0], top + high[1] - up], axis=1)
        drawn.append("M0 0" + _commands(np.rint(placed * _UNITS).astype(int), np.asarray(path.codes)))
        width, top = max(width, float(high[0] - low[0])), top + float(high[1] - low[1]) + _GAP
    height = top - _GAP
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" class="typeset" role="img" width="{width:.2f}mm" '
        f'height="{height:.2f}mm" viewBox="0 0 {width * _UNITS:.0f} {height * _UNITS:.0f}">'
        f'<title>{escape(formula)}</title><path fill="{COLOUR}" d="{"".join(drawn)}"/></svg>'
    )


def outline(line: str) -> Path:
    """The outline of a line of mathtext, in mm."""
    font = FontProperties(family="STIXGeneral", math_fontfamily="stix")
    drawn = TextPath((0, 0), line, size=_POINTS, prop=font)
    return Path(drawn.vertices * _MM, drawn.codes)


def _commands(points: np.ndarray, codes: np.ndarray) -> str:
    """A path's `d`, each command relative to where the one before ended: points int (n 2)."""
    found, at = [], 0
    pen = start = np.zeros(2, dtype=int)
    while at < len(codes):
        count = _POINTS_OF[codes[at]]
        if codes[at] == Path.CLOSEPOLY:
            found.append("z")
            pen = start
        else:
            to = points[at : at + count]
            found.append(_LETTERS[codes[at]] + " ".join(str(v) for v in (to - pen).ravel()))
            pen = to[-1]
            start = pen if codes[at] == Path.MOVETO else start
        at += count
    return "".join(found).replace(" -", "-")
