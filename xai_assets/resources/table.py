"""The type of what goes from asset to asset, without importing pandas: definitions load in a moment."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as Table
else:
    # Dagster reads annotations when it builds the graph; a name it can resolve is all it needs.
    Table = Any
