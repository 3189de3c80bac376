"""A picture for an asset's page, drawn once for the same tables: a run that computes nothing draws nothing either."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.files import fingerprint
from xai_assets.resources.frames import content_version

KIND = "drawn"
CODE_VERSION = 2
"""Raise it when the same tables are drawn or described in another way."""

Picture = tuple[bytes, str]
"""A PNG, and what it says."""


def drawn(
    bench: Workbench, of: str, tables: Sequence[pd.DataFrame], draw: Callable[[], Picture | None]
) -> Picture | None:
    """The picture as it was drawn before, else as `draw` makes it now; None where there is nothing to draw.

    Args:
        bench: of the study, whose artifacts keep the picture.
        of: the asset.
        tables: all that the picture is made from; what they name in artifacts is named by its content.
        draw: makes it.
    """
    key = fingerprint({"code": CODE_VERSION, "of": of, "tables": content_version(*tables)})
    if not bench.store.has(KIND, key):
        made = draw()
        if made is None:
            return None
        bench.store.put(KIND, key, {"png": np.frombuffer(made[0], np.uint8)}, {"said": made[1]})
        return made
    arrays, meta = bench.store.get(KIND, key)
    return arrays["png"].tobytes(), str(meta["said"])
