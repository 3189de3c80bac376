"""Studies as partitions: the asset graph is one picture, and a run is this graph for that study."""

import re
from collections.abc import Iterable

import dagster as dg

from xai_assets.settings import Settings
from xai_assets.study import STUDY_NAME
from xai_assets.study_file import study_paths


class StudyPartitions(dg.StaticPartitionsDefinition):
    """Studies by name. A process that lives longer than a run can learn of one that was added since it started."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        super().__init__(self._names)

    def know(self, name: str) -> None:
        """Add a study that this process has not seen; its file is read, or missed by name, when a step opens it."""
        if name not in self._names and re.fullmatch(STUDY_NAME, name):
            self._names.append(name)


def study_partitions(settings: Settings) -> StudyPartitions:
    """One partition a file in the folders of studies, valid or not: an error belongs to the run, not to the picture.

    A file whose name no study may have is left out: Dagster refuses some names, and all partitions with them.
    """
    return StudyPartitions(name for name in study_paths(settings) if re.fullmatch(STUDY_NAME, name))


studies = study_partitions(Settings.from_environment())
"""The partitions of every asset; read when the code location loads (reload it after adding a study)."""
