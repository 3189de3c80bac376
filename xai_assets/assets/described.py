"""What the UI's catalogue says of every asset beside its own words: whose it is, where it runs, what its tables hold.

All of it is derived, from the declarations of the warehouse's tables and from the tags of the steps.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from xai_assets.execution.op_tags import DEVICE
from xai_assets.resources.loads import LOADS
from xai_assets.resources.tables import TABLES, Column, Table

OWNER = "team:explainability"
"""Who is asked about an asset where nothing else is said: an e-mail address, or `team:` and a name."""

STUDY = Column("VARCHAR", "the study's name")
"""The column that every table of the warehouse begins with."""

CATALOGUE = "warehouse.main"
"""DuckDB's names for the file and the schema that the tables stand in."""


def described(assets: Iterable[dg.AssetsDefinition], owner: str = OWNER) -> list[dg.AssetsDefinition]:
    """The assets with an owner, the device that they are for as a tag, and the columns of the tables that they load."""
    return [_described(asset, owner) for asset in assets]


def _described(asset: dg.AssetsDefinition, owner: str) -> dg.AssetsDefinition:
    device = asset.op.tags[DEVICE]

    def more(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(
            owners=[owner],
            tags={**spec.tags, DEVICE: device},
            metadata={**spec.metadata, **table_metadata(spec.key.to_user_string())},
        )

    return asset.map_asset_specs(more)


def table_metadata(asset: str) -> Mapping[str, Any]:
    """Dagster's metadata of an asset that loads tables: their columns, as `table.column` where there are several."""
    names = LOADS.get(asset, ())
    if not names:
        return {}
    if len(names) == 1:
        (name,) = names
        schema = dg.TableSchema(_columns(TABLES[name]), dg.TableConstraints(_rules(TABLES[name])))
        return {"dagster/column_schema": schema, "dagster/table_name": f"{CATALOGUE}.{name}"}
    return {
        "dagster/column_schema": dg.TableSchema(
            [column for name in names for column in _columns(TABLES[name], f"{name}.")],
            dg.TableConstraints([f"{name}: {rule}" for name in names for rule in _rules(TABLES[name])]),
        )
    }


def _columns(table: Table, before: str = "") -> list[dg.TableColumn]:
    return [
        dg.TableColumn(
            before + name,
            column.type,
            column.comment,
            dg.TableColumnConstraints(nullable=column.nullable),
        )
        for name, column in {"study": STUDY, **table.columns}.items()
    ]


def _rules(table: Table) -> list[str]:
    """What a row is, and what no two rows share."""
    return [table.comment, *([f"no two rows of a study share {', '.join(table.key)}"] if table.key else [])]
