"""Studies as partitions: the asset graph is one picture, and a run is this graph for that study."""

import re

import dagster as dg

from xai_assets.settings import Settings
from xai_assets.study import STUDY_NAME
from xai_assets.study_file import study_paths


def study_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    """One partition a file in the folders of studies, valid or not: an error belongs to the run, not to the picture.

    A file whose name no study may have is left out: Dagster refuses some names, and all partitions with them.
    """
    return dg.StaticPartitionsDefinition(
        [name for name in study_paths(settings) if re.match(STUDY_NAME, name)]
    )


studies = study_partitions(Settings.from_environment())
"""The partitions of every asset; read when the code location loads (reload it after adding a study)."""
