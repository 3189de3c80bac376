"""What every step of a study works with."""

from dataclasses import dataclass, field
from functools import cached_property

from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.resources.frames import has_table, read_table
from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactStore
from xai_assets.resources.table import Table
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings
from xai_assets.study import Attribution, Dissection, Study
from xai_assets.study_file import StudyFile, find_study


@dataclass
class Tally:
    """What a step did: kept for the asset's metadata."""

    computed: int = 0
    reused: int = 0
    problems: list[str] = field(default_factory=list)

    def as_metadata(self) -> dict[str, int | str]:
        """Counts, and the problems if there were any."""
        found: dict[str, int | str] = {"computed": self.computed, "reused": self.reused}
        if self.problems:
            found["problems"] = "\n".join(self.problems)
        return found


@dataclass
class Workbench:
    """One study, the places where its results stand, and who watches.

    Attributes:
        settings: where things stand and what to compute on.
        file: the study and the folder of its file.
        progress: called while a step works.
        batch_share: what share of the usual batch sizes there is memory for, above 0 and up to 1.
        tally: what the current step did.
    """

    settings: Settings
    file: StudyFile
    progress: Progress = silent
    tally: Tally = field(default_factory=Tally)
    batch_share: float = 1.0

    @classmethod
    def open(cls, name: str, settings: Settings | None = None, progress: Progress = silent) -> "Workbench":
        """The workbench of the study of that name; raises StudyError when there is none or it is not valid."""
        settings = settings or Settings.from_environment()
        return cls(settings, find_study(name, settings), progress)

    def batch(self, usual: int) -> int:
        """The batch size to use where the usual one is this; results do not depend on it."""
        return max(1, int(usual * self.batch_share))

    @property
    def study(self) -> Study:
        """The validated study."""
        return self.file.study

    @property
    def attribution(self) -> Attribution:
        """The study's attribution; an error in a study that has none."""
        if self.study.attribution is None:
            raise XaiError(
                f"study {self.study.name}", "has no attribution", "Add one, or leave its assets out."
            )
        return self.study.attribution

    @property
    def dissection(self) -> Dissection:
        """The study's dissection; an error in a study that has none."""
        if self.study.dissection is None:
            raise XaiError(
                f"study {self.study.name}", "has no dissection", "Add one, or leave its assets out."
            )
        return self.study.dissection

    @cached_property
    def store(self) -> ArtifactStore:
        """Content-addressed arrays."""
        return ArtifactStore(self.settings.artifacts, self._shared)

    def has_table(self, asset: str) -> bool:
        """Whether an asset has left a table for the study."""
        return has_table(self.settings.artifacts, asset, self.study.name, self._shared)

    def table(self, asset: str) -> Table:
        """The table that an asset has left for the study; raises XaiError where it has left none."""
        return read_table(self.settings.artifacts, asset, self.study.name, self._shared)

    @cached_property
    def _shared(self) -> Shared | None:
        return Shared(self.settings.shared) if self.settings.shared else None

    @cached_property
    def warehouse(self) -> Warehouse:
        """The DuckDB tables."""
        return Warehouse(self.settings.warehouse)
