"""Maps that other tools made: matched to a study's images and classes, checked, and brought into the model's frame."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.images import canonical
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.reference_masks import Case, matching, names_of_images, turned
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.maps import flags_of
from xai_assets.attribution.parameters import ExternalParameters
from xai_assets.attribution.scaling import is_constant
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.interop.map_files import MapFileError, SavedMap, list_maps, read_map_file
from xai_assets.reading import shown
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.set_aside import listed
from xai_assets.vision.geometry import Frame, whole_frame

CODE_VERSION = 1
"""Goes into the key of every kept map: raise it when the same file gives another."""

MAPS = "external maps"
"""What the tally calls them."""

OWN_THRESHOLD = "tool"
"""The policy of a mask that was cut at the threshold of the tool that made the map."""

PHOTOGRAPH = 0.98
"""The correlation of a map with the grey image from which on it is that image."""


_GREY = np.array([(1 / 3, 1 / 3, 1 / 3), (0.299, 0.587, 0.114)])
"""How a picture becomes grey: the mean of its channels, or their luminance (ITU-R BT.601)."""


@dataclass(frozen=True)
class Placed:
    """An external map in the model's frame.

    Attributes:
        values: h w float32.
        lies: what its file lies on, "original" or "model".
        file: its file, for people.
    """

    values: np.ndarray
    lies: str
    file: str


class ExternalSet:
    """The maps of a set, found by case.

    Args:
        given: what the study says of the set.
        resolve: from a path of the study to one of the machine.

    Raises:
        XaiError: no such folder, or nothing in it that can be a map.
    """

    def __init__(self, given: ExternalParameters, resolve: Callable[[str], Path]) -> None:
        self._given, self._folder = given, resolve(given.maps)
        self.maps, self._others = list_maps(self._folder)
        self._by_name: dict[str, list[SavedMap]] = {}
        for saved in self.maps:
            for name in saved.names:
                self._by_name.setdefault(name, []).append(saved)
        self.used: set[SavedMap] = set()

    def file_of(self, case: Case) -> SavedMap:
        """The map of a case; raises MapFileError where there is none, or several."""
        names = matching(case, self._by_name)
        if not names:
            what = f"{case.image_id} ({case.target_name})"
            raise MapFileError(what, self._why_none(case), "Name it by the image, or by image and class.")
        found = list(dict.fromkeys(self._by_name[names[0]]))
        if len(found) > 1:
            files = " and ".join(saved.shown for saved in found[:3])
            raise MapFileError(
                f"{case.image_id} ({case.target_name})", f"{files} are both of it", "Leave one of them."
            )
        self.used.add(found[0])
        return found[0]

    def __call__(self, case: Case, view: np.ndarray) -> Placed:
        """The map of a case.

        Args:
            case: the image and class.
            view: h w 3 uint8, what the model sees of the image.

        Raises:
            XaiError: there is none, or none that can be used.
        """
        saved = self.file_of(case)
        values = read_map_file(saved, self._given.channels)
        placed, lies = place(values, case.frame, self._given.frame)
        alike = max(_correlation(placed, view @ weights) for weights in _GREY)
        if alike >= PHOTOGRAPH:
            raise MapFileError(
                saved.shown,
                f"it is the image itself in grey (correlation {alike:.2f})",
                "Save the map alone.",
            )
        return Placed(placed, lies, saved.shown)

    def _why_none(self, case: Case) -> str:
        where = shown(self._folder.name)
        for of in case.called:
            if of in self._by_name:
                return (
                    f"{self._by_name[of][0].shown} names no class, and the image has several explained ones"
                )
            for other in self._others:
                if other.rpartition(".")[0] == of or other == of:
                    return f"{shown(other)} in {where} is neither .png nor .npy nor .safetensors"
        near = [name for name in self._by_name if any(name.startswith(f"{of}.") for of in case.called)]
        near += [name for name in self._by_name if any(name.endswith(f"/{of}") for of in case.called)]
        return f"{where} has none of this class, but {near[0]}" if near else f"{where} has none of that name"


def place(values: np.ndarray, frame: Frame, lies: str | None) -> tuple[np.ndarray, str]:
    """A map in the model's frame, h w float32, and what it lay on; maps are never resized to fit.

    Args:
        values: h w float32, of the size of the image file or of the model's input.
        frame: how the model's frame lies in the image.
        lies: "original" or "model"; None: the one whose size it has.

    Raises:
        MapFileError: another size; or both sizes are the same and do not show the same.
    """
    whole = whole_frame(*frame.original, frame.original, "native")
    same = frame.size == whole.size and frame.box == whole.box
    sizes = {"original": frame.original, "model": frame.size}
    fits = [name for name, size in sizes.items() if values.shape == size and lies in (None, name)]
    if not fits:
        wanted = " nor ".join(
            f"{'the image file' if name == 'original' else 'the input of the model'} ({size[1]} x {size[0]})"
            for name, size in sizes.items()
            if lies in (None, name)
        )
        sides = turned(values.shape, frame.original)
        small = max(values.shape) * 4 <= max(frame.size)
        raise MapFileError(
            f"a map of {values.shape[1]} x {values.shape[0]} pixels",
            f"it has {values.shape[1]} x {values.shape[0]} pixels and is {'neither of' if lies is None else 'not of'} "
            f"{wanted}{sides}{': the resolution of a layer?' if small else ''}",
            "Maps are not resized: save it at the size of the model's input.",
        )
    if len(fits) == 2 and not same:
        raise MapFileError(
            f"a map of {values.shape[1]} x {values.shape[0]} pixels",
            f"the image file and the input of the model both have {values.shape[1]} x {values.shape[0]} pixels, and the "
            "model sees a part of the image",
            "Say `frame: model` or `frame: original`.",
        )
    if fits[0] == "model" or same:
        return values, fits[-1]
    lowest = float(values.min())
    return whole.bring(values, frame, outside=lowest), "original"


def cut(
    values: np.ndarray, given: ExternalParameters, policy: BinarisationPolicy
) -> tuple[np.ndarray, float | None, str]:
    """The mask of a map in the model's frame (h w bool), its threshold on the scaled map, and the policy's name."""
    if given.threshold is None or is_constant(values):
        return *binarise(values, policy), policy.policy
    low, high = float(values.min()), float(values.max())
    return (
        values >= given.threshold,
        min(max((given.threshold - low) / (high - low), 0.0), 1.0),
        OWN_THRESHOLD,
    )


def external_maps(bench: Workbench, predictions: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """One row an image, target class and external set that has a map of it, as the warehouse's table `maps`.

    Each map with its mask is kept as our own are (artifact kind `maps`). A map that is not there or cannot be used is
    left out, named in the tally, and does not stop the others.

    Raises:
        XaiError: not one can be used, and the study has no other method.
    """
    sets = bench.attribution.methods.external_sets()
    rows: list[dict[str, Any]] = []
    if sets:
        cases = _cases(bench, predictions, images)
        for method, given in sets.items():
            rows += _rows(bench, method, given, cases, len(sets))
    if not rows and bench.tally.problems and not bench.attribution.methods.made():
        raise XaiError(
            f"external maps of study {bench.study.name}",
            f"not one can be used: {bench.tally.problems[0]}",
            "Correct the first, and the others are likely corrected too.",
        )
    return pd.DataFrame(rows, columns=list(TABLES["maps"].columns))


def _cases(
    bench: Workbench, predictions: pd.DataFrame, images: pd.DataFrame
) -> list[tuple[dict[str, Any], Case, np.ndarray]]:
    """Each row of `predictions` with what a map is sought for, and the model's view."""
    matcher = explained_classifier(bench).matcher
    names = names_of_images(images["image_id"])
    count = predictions.groupby("image_id").size()
    found = []
    for row in predictions.to_dict("records"):
        target, image = int(row["target_index"]), str(row["image_id"])
        arrays, meta = bench.store.get("views", row["view"])
        case = Case(
            image,
            str(row["target_name"]),
            int(count[image]) == 1,
            Frame.from_dict(meta["frame"]),
            names[image],
            means=lambda word, target=target: target in matcher.candidates(word),  # type: ignore[misc]
        )
        found.append((row, case, arrays["view"]))
    return found


def _rows(
    bench: Workbench,
    method: str,
    given: ExternalParameters,
    cases: list[tuple[dict[str, Any], Case, np.ndarray]],
    sets: int,
) -> list[dict[str, Any]]:
    of = f" of {method}" if sets > 1 else ""
    try:
        maps = ExternalSet(given, bench.file.resolve)
    except XaiError as error:
        bench.tally.leave_out("sets of external maps", method, str(error))
        return []
    rows: list[dict[str, Any]] = []
    for done, (row, case, view) in enumerate(cases, 1):
        try:
            rows.append(_row(bench, method, given, row, case.frame, maps(case, view)))
        except ArtifactError:
            raise  # no fault of the map: whatever made it makes it again
        except XaiError as error:
            name = f"{case.image_id} ({case.target_name}){of}"
            bench.tally.leave_out(MAPS, name, f"{error.why}. {error.remedy}")
        bench.progress(done, len(cases))
    bench.tally.facts.append(f"{method}: {said_of_set(maps, len(rows), len(cases))}")
    return rows


def said_of_set(maps: ExternalSet, known: int, cases: int) -> str:
    """How many cases have a map, and which maps are of none."""
    others = [saved.shown for saved in maps.maps if saved not in maps.used]
    rest = f"; {len(others):,} others there are of none: {listed(others, 3)}" if others else ""
    return f"{known:,} of {cases:,} target classes have a map that can be used{rest}"


def _row(
    bench: Workbench,
    method: str,
    given: ExternalParameters,
    row: dict[str, Any],
    frame: Frame,
    placed: Placed,
) -> dict[str, Any]:
    policy = bench.attribution.binarisation
    values = placed.values
    mask, threshold, name = cut(values, given, policy)
    if given.threshold is not None and not is_constant(values) and (mask.all() or not mask.any()):
        said = f"its threshold {given.threshold:g} takes {'all' if mask.any() else 'none'} of its values"
        bench.tally.remark(
            MAPS, placed.file, f"{said}, which are {float(values.min()):.4g} to {float(values.max()):.4g}"
        )
    parameters = given.model_dump(mode="json")
    meta = {
        "layer": given.layer,
        "frame": frame.to_dict(),
        "parameters": parameters,
        "flags": list(flags_of(values)),
        "raw_min": float(values.min()),
        "raw_max": float(values.max()),
        "details": {"file": placed.file, "lies": placed.lies, "tool": given.tool},
    }
    content = sha256_bytes(np.ascontiguousarray(values).tobytes())
    made = {
        "code": CODE_VERSION,
        "content": content,
        "shape": list(values.shape),
        "method": method,
        "meta": meta,
    }
    key = fingerprint({"external": made, "policy": policy.model_dump(mode="json")})
    if bench.store.has("maps", key):
        bench.tally.reused += 1
    else:
        kept = {"values": values, "mask": mask.astype(np.uint8)}
        bench.store.put("maps", key, kept, {**meta, "policy": name, "threshold": threshold})
        bench.tally.computed += 1
    return {
        "image_id": row["image_id"],
        "target_index": row["target_index"],
        "target_name": row["target_name"],
        "method": method,
        "layer": given.layer,
        "policy": name,
        "policy_value": None if name == OWN_THRESHOLD else policy.value,
        "threshold": threshold,
        "density": float(mask.mean()),
        "raw_min": meta["raw_min"],
        "raw_max": meta["raw_max"],
        "constant": is_constant(values),
        "seed": bench.study.seed,
        "seconds": float("nan"),
        "device": None,
        "peak_memory_mib": None,
        "samples": None,
        "stable": None,
        "artifact": key,
        "parameters": canonical(parameters),
        "expected_iou": float("nan"),
        "claimed_iou": float("nan"),
        "passes": None,
    }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's; 0 where one of the two has one value only."""
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    x, y = x - x.mean(), y - y.mean()
    norm = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / norm if norm > 0 else 0.0
