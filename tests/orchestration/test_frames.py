"""Tables go from asset to asset as Parquet, and an absent one says which asset makes it."""

import dagster as dg
import pandas as pd
import pytest

from xai_assets.errors import XaiError
from xai_assets.resources.io_manager import FrameIOManager

PARTITIONS = dg.StaticPartitionsDefinition(["demo"])


@dg.asset(partitions_def=PARTITIONS)
def table() -> pd.DataFrame:
    return pd.DataFrame({"image_id": ["a", None], "iou": [0.5, None], "target_index": [1, 2]})


@dg.asset(partitions_def=PARTITIONS)
def doubled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(iou=table["iou"] * 2)


def run(tmp_path, assets):
    manager = FrameIOManager(artifacts=str(tmp_path))
    return dg.materialize(
        assets, partition_key="demo", resources={"io_manager": manager}, selection=[assets[-1]]
    )


def test_a_table_is_read_as_it_was_written(tmp_path):
    manager = FrameIOManager(artifacts=str(tmp_path))
    found = dg.materialize([table, doubled], partition_key="demo", resources={"io_manager": manager})
    assert found.output_for_node("doubled")["iou"].tolist()[0] == 1.0
    written = pd.read_parquet(tmp_path / "tables" / "table" / "demo.parquet")
    assert written["image_id"].isna().tolist() == [False, True]
    assert written["target_index"].tolist() == [1, 2]


def test_an_absent_table_names_its_asset(tmp_path):
    with pytest.raises(XaiError, match="asset table, study demo: has not been materialised"):
        run(tmp_path, [table, doubled])
