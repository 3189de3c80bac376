"""The warehouse has what was loaded, and a row that went or was added is found."""

import pandas as pd
import pytest

from xai_assets.analysis.stored_rows import stored_rows
from xai_assets.analysis.workbench import Workbench
from xai_assets.checks.warehouse import LOADED
from xai_assets.settings import Settings

HEALTH = pd.DataFrame({"key": ["images", "sizes"], "value": ["10", "1"], "level": "ok"})


@pytest.fixture
def bench(tmp_path):
    return Workbench.open("demo", Settings.from_environment({"XAI_DATA": str(tmp_path)}))


def test_rows_that_are_there_are_counted_and_others_are_named(bench):
    loaded = pd.DataFrame({"table": ["probe_health"], "rows": [2]})
    bench.warehouse.replace("demo", {"probe_health": HEALTH})
    bench.warehouse.replace("other", {"probe_health": HEALTH})
    assert LOADED.blocking
    assert LOADED.look(loaded, stored_rows(bench, loaded)).passed
    bench.warehouse.replace("demo", {"probe_health": HEALTH.iloc[:1]})
    found = LOADED.look(loaded, HEALTH, stored_rows(bench, loaded))
    assert not found.passed and "probe_health has 1 of 2" in found.said
