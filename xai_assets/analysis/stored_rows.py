"""What stands in the warehouse of a study, read again after it was loaded, for a check that holds it against the load."""

from collections.abc import Mapping

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.resources.warehouse import Scope


def stored_rows(
    bench: Workbench, loaded: pd.DataFrame, within: Mapping[str, Scope] | None = None
) -> pd.DataFrame:
    """Table and rows, of the tables that `loaded` names; of those in `within` the part that was loaded."""
    tables = bench.warehouse.read(bench.study.name)
    for name, scope in (within or {}).items():
        for column, values in scope.items():
            tables[name] = tables[name][tables[name][column].isin(values)]
    return pd.DataFrame({"table": list(loaded["table"]), "rows": [len(tables[t]) for t in loaded["table"]]})
