"""What stands in the warehouse of a study, read again after it was loaded, for a check that holds it against the load."""

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.unit_concepts import COMPUTED


def stored_rows(bench: Workbench, loaded: pd.DataFrame) -> pd.DataFrame:
    """Table and rows, of the tables that `loaded` names; concepts that were imported are not of the load."""
    tables = bench.warehouse.read(bench.study.name)
    if len(concepts := tables["unit_concepts"]):
        tables["unit_concepts"] = concepts[concepts["method"].isin(COMPUTED)]
    return pd.DataFrame({"table": list(loaded["table"]), "rows": [len(tables[t]) for t in loaded["table"]]})
