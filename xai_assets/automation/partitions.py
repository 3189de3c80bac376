"""Studies as partitions: the asset graph is one picture, and a run is this graph for that study."""

import dagster as dg

from xai_assets.settings import Settings
from xai_assets.study_file import study_paths


def study_partitions(settings: Settings) -> dg.StaticPartitionsDefinition:
    """One partition a file in the folders of studies, valid or not: an error belongs to the run, not to the picture."""
    return dg.StaticPartitionsDefinition(list(study_paths(settings)))


studies = study_partitions(Settings.from_environment())
"""The partitions of every asset; read when the code location loads (reload it after adding a study)."""
