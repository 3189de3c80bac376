"""Results of other tools into the warehouse, and the warehouse's results into the other tools' files."""

import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from xai_assets.analysis.unit_tables import model_units
from xai_assets.errors import XaiError
from xai_assets.interop.clip_dissect_csv import write_descriptions
from xai_assets.interop.concept_files import read_concept_file
from xai_assets.interop.file_rows import unfit_text
from xai_assets.interop.netdissect_csv import NOTES
from xai_assets.resources.warehouse import Scope, Warehouse
from xai_assets.set_aside import lines
from xai_assets.study import STUDY_NAME

_TABLE = "unit_concepts"


@dataclass(frozen=True)
class Imported:
    """What an import put into the warehouse.

    Attributes:
        method, units, named, layers: of the rows.
        notes: units whose IoU is not the one that the file's counts give, a line for each reason.
    """

    method: str
    units: int
    named: int
    layers: tuple[str, ...]
    notes: tuple[str, ...] = ()


def import_concepts(
    warehouse: Warehouse,
    path: Path,
    *,
    study: str,
    model: str,
    format: str | None = None,
    layer: str | None = None,
) -> Imported:
    """Put a file's rows into `unit_concepts`, in one transaction.

    They take the place of the study's rows of that model and method; for a format that has one layer a file, of that
    model, method and layer. What the study computed stays. The study need not exist as a file.

    Raises:
        XaiError: the file is wrong, or a name cannot be used; nothing is written then.
    """
    if not re.fullmatch(STUDY_NAME, study):
        raise XaiError(
            f"study {study!r}",
            "a study's name has lower-case letters, digits and '-', at most 64",
            "Choose such a name; it need not exist yet.",
        )
    if not model.strip() or unfit_text(model):
        raise XaiError(f"model {model!r}", unfit_text(model) or "it is empty", "Name the dissected model.")
    rows = read_concept_file(path, model, format=format, layer=layer)
    method, layers = str(rows["method"].iloc[0]), tuple(dict.fromkeys(rows["layer"]))
    scope: dict[str, tuple[str, ...]] = {"model": (model,), "method": (method,)}
    if layer is not None:
        scope["layer"] = layers
    within: dict[str, Scope] = {_TABLE: scope}
    warehouse.replace(study, {_TABLE: rows}, within=within)
    notes = tuple(lines(rows.attrs.get(NOTES, ()), "units"))
    return Imported(method, len(rows), int(rows["concept"].notna().sum()), layers, notes)


def export_concepts(
    warehouse: Warehouse, folder: Path, *, study: str, model: str, method: str
) -> tuple[Path, Path]:
    """Write one model's units as CLIP-Dissect writes them: descriptions.csv and args.txt in a new folder.

    Arguments that the warehouse does not know (encoder, probe set, word list) are null in args.txt.

    Raises:
        XaiError: there are no such rows (the error lists those there are), or the folder cannot be written.
    """
    table = model_units(warehouse, study, model, method)
    arguments = {
        "target_model": model,
        "target_layers": list(dict.fromkeys(table["layer"])),
        "similarity_fn": table["score_name"].iloc[0],
        "study": study,
        "method": method,
        "written_by": f"xai-assets {version('xai-assets')}",
    }
    return write_descriptions(folder, table, arguments)
