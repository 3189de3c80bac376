"""What a report was made from, in groups of facts: only what the report uses."""

from typing import Any

from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.overview import binarisation
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.surrogates import parameters

Row = dict[str, Any]

_EXPLAINED, _DISSECTED = "explained", "dissected"
_USES = {
    "study": {_EXPLAINED, _DISSECTED},
    "comparison": {_EXPLAINED, _DISSECTED},
    "cam": {_EXPLAINED},
    "failures": {_EXPLAINED},
    "lime": {_EXPLAINED},
    "dissection": {_DISSECTED},
}
_INPUTS = {"explained images": _EXPLAINED, "probe set": _DISSECTED, "concept list": _DISSECTED}


def provenance(kind: str, results: StudyResults, methods: list[str]) -> list[Row]:
    """Groups (`group`, `facts`: `name` and `value`), those of the report itself first.

    Args:
        kind: of the report.
        results: of the study.
        methods: those whose maps the report shows.
    """
    used = _USES.get(kind, {_EXPLAINED, _DISSECTED})
    groups = [_group("Report", _report(results)), *_explained(results, methods if _EXPLAINED in used else [])]
    models = in_order(results.predictions["model"]) if len(results.predictions) else []
    for name, facts in (results.study.get("lineage") or {}).items():
        if name == "Weights" and used != {_EXPLAINED, _DISSECTED}:
            keep = _EXPLAINED in used
            dissected = in_order(results.layer_summary["model"]) if len(results.layer_summary) else []
            facts = {
                of: value
                for of, value in facts.items()
                if (of in models if keep else of in dissected or of not in models)
            }
        elif name == "Pictures and words":
            facts = {of: value for of, value in facts.items() if _INPUTS.get(of, _EXPLAINED) in used}
        groups.append(_group(str(name), facts))
    return [group for group in groups if group["facts"]]


def _group(name: str, facts: Any) -> Row:
    return {"group": name, "facts": [{"name": str(of), "value": plain(value)} for of, value in facts.items()]}


def _report(results: StudyResults) -> Row:
    study = results.study
    facts = {
        "study": str(study["name"]),
        "made": study.get("created"),
        "seed": results.seed,
        "made again by": study.get("command"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _explained(results: StudyResults, methods: list[str]) -> list[Row]:
    """The explained models with their input, the target layer, and each method's parameters."""
    if not methods or not len(results.maps):
        return []
    facts: Row = {}
    rows = records(results.predictions.drop_duplicates("model")) if len(results.predictions) else []
    for row in rows:
        facts[row["model"]] = row.get("preprocessing") or "input not recorded"
    maps = results.maps[results.maps["method"].isin(methods)]
    if results.study.get("layer") and maps["layer"].notna().any():
        facts["target layer"] = results.study["layer"]
    if policy := binarisation(results):
        facts["masks"] = policy
    for method in in_order(maps["method"]):
        sets = in_order(maps.loc[maps["method"] == method, "parameters"])
        said = [
            ", ".join(f"{one['name']} {_value(one['value'])}" for one in parameters(of)) for of in sets[:1]
        ]
        more = f"; {len(sets) - 1} further sets, see maps.parameters" if len(sets) > 1 else ""
        facts[method] = (said[0] or "no parameters") + more
    return [_group("Explained by", facts)]


def _value(value: Any) -> str:
    return "none" if value is None else str(value)
