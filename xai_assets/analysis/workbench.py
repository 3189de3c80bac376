"""What every step of a study works with."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from xai_assets import set_aside
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.resources.frames import has_table, read_table
from xai_assets.resources.shared import Shared
from xai_assets.resources.store import ArtifactStore, Damage
from xai_assets.resources.table import Table
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings
from xai_assets.study import Attribution, Dissection, Study
from xai_assets.study_file import StudyFile, find_study

MADE_AGAIN = "made_again"
"""The entry of a step's metadata that names results that were there, damaged, and were made again."""

COST = "cost"
"""The entry of a step's metadata that says what the steps behind it are going to take, a line each."""

NAMED = 5
"""How many of them are named."""


@dataclass
class Tally:
    """What a step did: kept for the asset's metadata.

    Attributes:
        computed, reused: results that were made, and that were there.
        notes: what the step has to say, a line each.
        facts: what was decided and is no problem, such as which weights of a checkpoint were taken.
        left_out: what was left out, by what the things are: name and reason of each.
        remarks: what gives reason for doubt and was used all the same, in the same form.
        images: images that were set aside: name and reason of each. The step's table has them as well.
        unsound: results that were there and could not be used: made again.
    """

    computed: int = 0
    reused: int = 0
    notes: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    left_out: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    remarks: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    images: list[tuple[str, str]] = field(default_factory=list)
    unsound: dict[Path, Damage] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Say something, once."""
        if line not in self.notes:
            self.notes.append(line)

    def leave_out(self, what: str, name: str, reason: str) -> None:
        """Set one of many things aside; `what` says in the plural what they are."""
        self.left_out.setdefault(what, []).append((name, reason))

    def remark(self, what: str, name: str, reason: str) -> None:
        """Say of one of many things that is used what is odd about it."""
        self.remarks.setdefault(what, []).append((name, reason))

    @property
    def problems(self) -> Sequence[str]:
        """The notes, and a line for each reason for which something was left out or is odd."""
        many = (*self.left_out.items(), *self.remarks.items())
        return (*self.notes, *(line for what, things in many for line in set_aside.lines(things, what)))

    @property
    def lost(self) -> bool:
        """Whether something was left out."""
        return bool(self.left_out or self.images)

    @property
    def set_aside(self) -> Sequence[str]:
        """A line for each reason for which images were set aside."""
        return set_aside.lines(self.images, "images")

    @property
    def made_again(self) -> Sequence[str]:
        """A line for each damaged result, the first few by name, and one for those of an older version."""
        damaged = [damage for damage in self.unsound.values() if not damage.older]
        lines = [f"{damage.path}: {damage.why}" for damage in damaged[:NAMED]]
        if len(damaged) > NAMED:
            lines.append(f"and {len(damaged) - NAMED} more results that were damaged")
        if older := len(self.unsound) - len(damaged):
            lines.append(f"{older} results of an older version, which kept no hash of their content")
        return lines

    def as_metadata(self) -> dict[str, int | str]:
        """Counts, and if there were any: facts, the problems and the images that were set aside."""
        found: dict[str, int | str] = {"computed": self.computed, "reused": self.reused}
        if self.facts:
            found["facts"] = "\n".join(dict.fromkeys(self.facts))
        if self.problems:
            found["problems"] = "\n".join(self.problems)
        if self.images:
            found["set_aside"] = "\n".join(self.set_aside)
        if self.unsound:
            found[MADE_AGAIN] = "\n".join(self.made_again)
        return found


@dataclass
class Workbench:
    """One study, the places where its results stand, and who watches.

    Attributes:
        settings: where things stand and what to compute on.
        file: the study and the folder of its file.
        progress: called while a step works.
        tell: called with a line that people should read at once, such as what is waited for.
        same_input: called with a file's name and the SHA-256 of what was read; raises XaiError where the run has used
            another content of it. Does nothing outside a run.
        batch_share: what share of the usual batch sizes there is memory for, above 0 and up to 1.
        tally: what the current step did.
    """

    settings: Settings
    file: StudyFile
    progress: Progress = silent
    tell: Callable[[str], None] = logging.getLogger(__name__).warning
    tally: Tally = field(default_factory=Tally)
    batch_share: float = 1.0
    same_input: Callable[[str, str], None] = lambda what, sha256: None

    @classmethod
    def open(cls, name: str, settings: Settings | None = None, progress: Progress = silent) -> "Workbench":
        """The workbench of the study of that name; raises StudyError when there is none or it is not valid."""
        settings = settings or Settings.from_environment()
        return cls(settings, find_study(name, settings), progress)

    def batch(self, usual: int) -> int:
        """The batch size to use where the usual one is this.

        Another one changes sums in their last digits: activations, embeddings and maps differed by up to 6e-7 between
        batches of 1, 7 and 32 images on one machine, and not at all between 32 and 64.
        """
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
        return ArtifactStore(self.settings.artifacts, self._shared, self._note_damage)

    def _note_damage(self, damage: Damage) -> None:
        self.tally.unsound.setdefault(damage.path, damage)

    def has_table(self, asset: str) -> bool:
        """Whether an asset has left a table for the study."""
        return has_table(
            self.settings.artifacts, asset, self.study.name, self._shared, on_damage=self._note_damage
        )

    def table(self, asset: str) -> Table:
        """The table that an asset has left for the study; raises XaiError where it has left none."""
        return read_table(self.settings.artifacts, asset, self.study.name, self._shared)

    @cached_property
    def _shared(self) -> Shared | None:
        return Shared(self.settings.shared) if self.settings.shared else None

    @cached_property
    def warehouse(self) -> Warehouse:
        """The DuckDB tables."""
        return Warehouse(self.settings.warehouse, self.settings.warehouse_wait, self.tell)
