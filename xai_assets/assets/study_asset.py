"""What all assets of a study have in common: its partition, a table as output, and checks that are declared with it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from xai_assets.automation.partitions import studies
from xai_assets.checks.check import Check


def study_asset(
    group: str,
    kind: str,
    op_tags: Mapping[str, Any],
    *,
    version: str = "1",
    checks: Sequence[Check] = (),
    name: str | None = None,
    **more: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Declare a function as an asset, one table a study.

    Args:
        group: of the graph.
        kind: what it is made with, shown as an icon.
        op_tags: what its step needs, see `execution.op_tags`.
        version: raise it when the same inputs give another table.
        checks: what has to hold of the table; `run_step` gets the same.
        name: of the asset; default: the function's.
        more: further arguments of `dagster.asset`.
    """

    def declare(function: Callable[..., Any]) -> dg.AssetsDefinition:
        asset = name or function.__name__
        return dg.asset(
            name=asset,
            partitions_def=studies,
            group_name=group,
            kinds={kind},
            op_tags=op_tags,
            code_version=version,
            dagster_type=dg.Any,  # an asset with checks cannot say in its annotation that it has a value
            check_specs=[check.spec(asset) for check in checks],
            **more,
        )(function)

    return declare
