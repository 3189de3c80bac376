"""A check: its name, what it looks for, and what it says."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import dagster as dg
from dagster import AssetCheckEvaluation

from xai_assets.automation.partitions import studies
from xai_assets.resources.table import Table
from xai_assets.web.shown import sentence

STATE = "state"
"""The entry of a result's metadata that says `NOT_ASKED`. Dagster knows only passed and failed."""

NOT_ASKED: Literal["not asked"] = "not asked"


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        passed: whether it holds; None: it was not asked, since the study leaves out what it is about or the table has
            nothing that it could be asked of; or it cannot be told. That is neither passed nor failed.
        said: one sentence with the numbers; where it does not hold, what follows from that and what to do.
        numbers: the same numbers, by name.
    """

    passed: bool | None
    said: str
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)


def not_asked(why: str) -> Verdict:
    """The verdict of a check that has nothing to be asked of; `why` is a sentence."""
    return Verdict(None, why)


CANNOT_BE_TOLD = "Cannot be told"
"""How the sentence of a check begins that too few images, or too small a difference, leave open."""


def cannot_be_told(why: str, numbers: Mapping[str, int | float | str] | None = None) -> Verdict:
    """The verdict of a check that was asked and is not decided: neither passed nor failed.

    Args:
        why: a clause, such as "with 4 images; at least 9 are needed".
        numbers: as those of `Verdict`.
    """
    return Verdict(None, f"{CANNOT_BE_TOLD} {why}.", numbers or {})


LEFT_OUT = "Left out"
"""How the sentence of a check begins that a study's budget left without something to look at."""


def left_out_by_budget(what: str, numbers: Mapping[str, int | float | str] | None = None) -> Verdict:
    """The verdict of a check of which the study's budget left out a part: neither passed nor failed.

    Args:
        what: a clause, such as "12 of 40 maps, since the budget of 60 s was used up".
        numbers: as those of `Verdict`.
    """
    return Verdict(None, f"{LEFT_OUT}: {what}.", numbers or {})


def state(result: dg.AssetCheckResult | AssetCheckEvaluation) -> Literal["passed", "failed", "not asked"]:
    """What a result says, in three words where Dagster has two."""
    if STATE in result.metadata and result.metadata[STATE].value == NOT_ASKED:
        return NOT_ASKED
    return "passed" if result.passed else "failed"


@dataclass(frozen=True)
class Check:
    """Something that has to hold of an asset's table.

    Attributes:
        name: as the UI shows it; unique among the asset's checks.
        description: what it looks for, and why.
        look: from the asset's table, and the tables that the asset was made from, to a verdict.
        blocking: whether going on would mislead: what depends on the asset is then not made.
    """

    name: str
    description: str
    look: Callable[..., Verdict]
    blocking: bool = False

    def spec(self, asset: str) -> dg.AssetCheckSpec:
        """The declaration of this check on an asset."""
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", dg.PreviewWarning
            )  # of partitioned checks; a test holds that they work
            return dg.AssetCheckSpec(
                self.name,
                asset=asset,
                description=self.description,
                blocking=self.blocking,
                partitions_def=studies,
            )

    def result(self, *tables: Table, asked: bool = False) -> dg.AssetCheckResult:
        """What it says of the asset's table and of those that it was made from.

        Args:
            tables: the asset's first.
            asked: whether the study asks for the asset. A check that finds nothing to look at has then failed, unless
                it is a blocking one: that a table without rows has no wrong row is no reason to stop.
        """
        found = self.look(*tables)
        if found.passed is None and asked and not self.blocking and not len(tables[0]):
            said = "The study asks for it, and not one row was made. The step's log and its problems say why."
            found = Verdict(False, said, {"rows": 0})
        return self._result(found)

    def left_out(self, why: str) -> dg.AssetCheckResult:
        """The result for a study that leaves the asset out; `why` is a sentence."""
        return self._result(not_asked(why))

    def _result(self, found: Verdict) -> dg.AssetCheckResult:
        if found.passed is None:
            # A result is needed: without one Dagster goes on to show that of an earlier run, or "execution failed".
            return dg.AssetCheckResult(
                check_name=self.name,
                passed=True,
                severity=dg.AssetCheckSeverity.WARN,
                description=sentence(
                    found.said
                    if found.said.startswith((CANNOT_BE_TOLD, LEFT_OUT))
                    else f"Not asked: {found.said}"
                ),
                metadata={STATE: NOT_ASKED, **found.numbers},
            )
        return dg.AssetCheckResult(
            check_name=self.name,
            passed=found.passed,
            severity=dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN,
            description=sentence(found.said),
            metadata=dict(found.numbers),
        )
