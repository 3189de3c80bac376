"""A check: its name, what it looks for, and what it says."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import dagster as dg

from xai_assets.automation.partitions import studies
from xai_assets.resources.table import Table
from xai_assets.web.shown import sentence

NOTHING = "nothing_to_look_at"
"""The number, in the metadata of a result, that says that the study leaves out what the check is about."""


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        passed: whether it holds.
        said: one sentence with the numbers; where it does not hold, what follows from that and what to do.
        numbers: the same numbers, by name.
    """

    passed: bool
    said: str
    numbers: Mapping[str, int | float | str] = field(default_factory=dict)


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

    def result(self, *tables: Table) -> dg.AssetCheckResult:
        """What it says of the asset's table and of those that it was made from."""
        found = self.look(*tables)
        return dg.AssetCheckResult(
            check_name=self.name,
            passed=found.passed,
            severity=dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN,
            description=sentence(found.said),
            metadata=dict(found.numbers),
        )

    def nothing_to_look_at(self, why: str) -> dg.AssetCheckResult:
        """The result for a study that leaves the asset out."""
        return dg.AssetCheckResult(
            check_name=self.name, passed=True, description=why, metadata={NOTHING: True}
        )
