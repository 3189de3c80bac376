"""What a run has left, in a form in which two runs can be held against each other."""

import json
from pathlib import Path

import duckdb
import pandas as pd
from pypdf import PdfReader
from safetensors import safe_open

MEASURED = {"seconds", "device", "peak_memory_mib", "upgraded_at"}
"""What differs between two runs of the same work."""

COMPARED_WITH_THE_RUN_BEFORE = "explanation_drift"


def tables(data):
    """Rows of every table of the warehouse, sorted; what was measured on the way is left out."""
    found = {}
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
        names = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        for name in set(names) - {COMPARED_WITH_THE_RUN_BEFORE}:
            frame = connection.execute(f'FROM "{name}"').df()
            kept = frame[[column for column in frame.columns if column not in MEASURED]]
            found[name] = sorted(map(repr, kept.itertuples(index=False, name=None)))
    return found


def frames(data):
    """The tables that go from asset to asset."""
    found = {}
    for path in (data / "artifacts" / "tables").glob("*/*.parquet"):
        if path.parent.name != COMPARED_WITH_THE_RUN_BEFORE:
            frame = pd.read_parquet(path)
            found[path.parent.name] = frame.drop(columns=MEASURED & set(frame.columns))
    return found


def artifacts(data):
    """The paths of all artifacts."""
    folder = data / "artifacts"
    return {str(path.relative_to(folder)) for path in folder.glob("*/??/*.safetensors")}


def artifact(data, name):
    """Arrays and metadata, all of the file decoded."""
    with safe_open(data / "artifacts" / name, framework="numpy") as file:
        arrays = {key: file.get_tensor(key) for key in sorted(file.keys())}
        meta = json.loads((file.metadata() or {}).get("meta", "{}"))
    return arrays, {key: value for key, value in meta.items() if key not in MEASURED}


def reports(data):
    """Pages of every report, each of whose files is read whole and whose served copy is the report."""
    found = {}
    for pdf in sorted((data / "reports").glob("*/*.pdf")):
        json.loads(pdf.with_suffix(".json").read_text(encoding="utf-8"))
        assert pdf.with_suffix(".html").read_text(encoding="utf-8").rstrip().endswith("</html>")
        served = data / "dagster" / "storage" / "reports" / pdf.parent.name / pdf.name
        assert served.read_bytes() == pdf.read_bytes()
        found[pdf.stem] = len([page.extract_text() for page in PdfReader(pdf).pages])
    return found


def parts(data):
    """What interrupted writes have left."""
    return [Path(path) for path in data.rglob(".*.part")]
