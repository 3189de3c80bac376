"""The numbers of robustness, kept by all that made them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution import explain
from xai_assets.files import fingerprint

KIND = "robustness"
CODE_VERSION = 1
"""Goes into the key of every kept number: raise it when the same map gives another."""


class NotKept(Exception):
    """There is no such number yet, and none is to be computed."""


class KeptNumbers:
    """What is kept is read, what is not is computed.

    Args:
        bench: the study, whose tally counts both.

    Attributes:
        alone: nothing is computed: what is not kept raises NotKept.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.alone = False

    def get(
        self,
        made_of: Mapping[str, Any],
        compute: Callable[[], tuple[dict[str, np.ndarray], dict[str, Any]]],
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the metadata of what was made so.

        Raises:
            NotKept: see `alone`.
        """
        key = fingerprint({"code": [CODE_VERSION, explain.CODE_VERSION], **made_of})
        store, tally = self._bench.store, self._bench.tally
        if store.has(KIND, key):
            tally.reused += 1
        elif self.alone:
            raise NotKept
        else:
            store.put(KIND, key, *compute())
            tally.computed += 1
        return store.get(KIND, key)
