"""Two models whose units both methods have named: small tables with known answers."""

import pandas as pd


def clip(*rows):
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category", "truth_presence"])
    return table.assign(dead=table["concept"].isna(), chance_presence=0.25, base_rate=0.125)


def net(*rows):
    table = pd.DataFrame(rows, columns=["model", "layer", "unit", "concept", "category", "detector"])
    return table.assign(dead=table["concept"].isna())


CLIP = clip(
    ("A", "l1", 0, "cars", "object", 0.5),
    ("A", "l1", 1, "red", "color", 1.0),
    ("A", "l1", 2, None, None, None),
    ("A", "l2", 0, "wheel", "part", None),
    ("A", "l2", 1, "wheel", "part", None),
    ("B", "l1", 0, "red", "color", 0.0),
    ("B", "l1", 1, "beach", "scene", 0.0),
)
NET = net(
    ("A", "l1", 0, "car", "object", True),
    ("A", "l1", 1, "blue", "color", True),
    ("A", "l1", 2, None, None, False),
    ("A", "l2", 0, "wheel", "part", False),
    ("A", "l2", 1, "wheel", "part", True),
)
