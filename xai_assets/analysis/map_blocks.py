"""Maps of many images by one pass of each batch, kept in blocks: for methods that are a formula of one pass.

The cases of a study are cut into blocks in their order, so that two runs from nothing put the same maps into the same
batches and files. A block is kept when all of it is there: a killed step goes on with the block that it was in. What is
there, in a block or in a file of its own, is not computed again.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_assets.analysis.ahead import ahead
from xai_assets.analysis.differences import contrast_of
from xai_assets.analysis.filling import BLOCK
from xai_assets.analysis.map_keys import (
    alike,
    cost_of,
    is_cost,
    key_with_mask,
    meta_of,
    not_finite,
    of_case,
    row_of,
)
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import binarise
from xai_assets.attribution.explain import Explainer, Prepared
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.passes import of_map
from xai_assets.attribution.wording import in_words
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.memory import PeakMemory
from xai_assets.resources.block_file import Member, member
from xai_assets.resources.store import ArtifactError
from xai_assets.vision.pass_memory import bytes_held, within

BATCH = 25
"""Images a pass: so many neighbours of one size are together, and what is left over is alone. A map of a study with fewer
images is therefore, to the last digit, what it is when it is asked for by itself."""

Row = dict[str, Any]
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Wanted:
    """A map that a row asks for.

    Attributes:
        case: the row.
        made: what makes the raw map.
        raw: its key.
        key: that of the map with its mask.
    """

    case: Row
    made: dict[str, Any]
    raw: str
    key: str


Made = tuple[Wanted, Arrays, Row, Row]
"""A map with its mask: what asks for it, its arrays and metadata, and what it took."""


def rows_in_blocks(
    bench: Workbench, explainer: Explainer, cases: Sequence[Row], pictures: Mapping[str, str]
) -> Iterator[Row]:
    """The rows of the table of maps of all cases, in order; why a case has none is in the tally."""
    maker = _Maker(bench, explainer, pictures)
    for start in range(0, len(cases), BLOCK):
        yield from maker.rows(cases[start : start + BLOCK])
        bench.progress(min(start + BLOCK, len(cases)), len(cases))


class _Maker:
    def __init__(self, bench: Workbench, explainer: Explainer, pictures: Mapping[str, str]) -> None:
        self._bench, self._explainer, self._pictures = bench, explainer, pictures
        self._most: dict[tuple[int, ...], int] = {}
        self._same = alike(bench, explainer.classifier, explainer.method, "")

    def rows(self, cases: Sequence[Row]) -> Iterator[Row]:
        """Of one block."""
        bench = self._bench
        wanted = [self._wanted(case) for case in cases]
        metas, costs = self._known(wanted)
        bench.tally.reused += len(metas)
        members: dict[str, Member] = {}
        for one, arrays, meta, cost in self._made([one for one in wanted if one.key not in metas]):
            members[one.key] = member([one.key, one.raw], arrays, meta)
            metas[one.key], costs[one.raw] = meta, cost
        if members:
            bench.store.put_block("maps", [members[one.key] for one in wanted if one.key in members], costs)
        for one in wanted:
            if one.key not in metas:
                continue  # the tally says why
            details = metas[one.key]["details"]
            if (passes := of_map(details)) is not None and passes not in bench.tally.facts:
                bench.tally.facts.append(passes)
            if (warning := details.get("warning")) is not None:
                bench.tally.note(f"{self._explainer.method}: {warning}")
            yield row_of(bench, one.case, one.made, one.key, metas[one.key], costs[one.raw])

    def _made(self, missing: Sequence[Wanted]) -> Iterator[Made]:
        """Maps that are not there, each with its mask, as they are made."""
        there: set[str] = set()
        for made in self._remasked(missing):
            there.add(made[0].raw)
            yield made
        yield from self._computed([one for one in missing if one.raw not in there])

    def _wanted(self, case: Row) -> Wanted:
        made = of_case(self._same, case, self._pictures[case["image_id"]])
        raw = fingerprint(made)
        return Wanted(case, made, raw, key_with_mask(self._bench, raw))

    def _known(self, wanted: Sequence[Wanted]) -> tuple[dict[str, Row], dict[str, Row]]:
        """Of those that are there: metadata by key, costs by the raw map's key."""
        store = self._bench.store
        found = store.known("maps", [one.key for one in wanted])
        there = [one for one in wanted if one.key in found]
        costs = store.costs("maps", [one.raw for one in there])
        metas: dict[str, Row] = {}
        for one in there:
            meta = dict(found[one.key])
            if "density" not in meta:  # it has a file of its own, as has the raw map
                meta["density"] = float(store.get("maps", one.key)[0]["mask"].mean())
                costs |= store.costs("attributions", store.known("attributions", [one.raw]))
            if is_cost(costs.get(one.raw)):
                metas[one.key] = meta
        return metas, costs

    def _remasked(self, missing: Sequence[Wanted]) -> Iterator[Made]:
        """Those whose raw map is there with another mask, or in a file of its own."""
        store, left = self._bench.store, {one.raw: one for one in missing}
        for kind in ("maps", "attributions"):
            found = store.known(kind, left)
            for raw, cost in store.costs(kind, found).items():
                if is_cost(cost):
                    arrays = {name: one for name, one in store.get(kind, raw)[0].items() if name != "mask"}
                    self._bench.tally.reused += 1
                    yield left.pop(raw), *self._masked(arrays, found[raw]), cost

    def _computed(self, missing: Sequence[Wanted]) -> Iterator[Made]:
        """The others, batch by batch: while the network works on one, the next is read."""
        for some, ready, seconds in ahead(self._batches(missing)):
            started, device = time.perf_counter(), str(self._explainer.classifier.device)
            with PeakMemory() as peak:
                found = self._together(some, ready)
            seconds += time.perf_counter() - started
            cost = cost_of(device, seconds / len(some), peak.mib(device))
            for one, explained in zip(some, found, strict=True):
                if explained is not None:
                    self._bench.tally.computed += 1
                    arrays = {"values": explained.values, **explained.extras}
                    yield one, *self._masked(arrays, meta_of(explained)), cost

    def _batches(self, missing: Sequence[Wanted]) -> Iterator[tuple[list[Wanted], list[Prepared], float]]:
        """Whole batches of neighbours whose inputs have one size, and what is left over one by one.

        With each, the seconds that it took to read them.
        """
        some: list[tuple[Wanted, Prepared, float]] = []
        for one in missing:
            found, took = self._prepared(one)
            if isinstance(found, XaiError):
                self._leave_out(one, found)
                continue
            if some and found.tensor.shape != some[0][1].tensor.shape:
                yield from map(_as_batch, ([alone] for alone in some))
                some = []
            some.append((one, found, took))
            if len(some) == self._bench.batch(BATCH):
                yield _as_batch(some)
                some = []
        yield from map(_as_batch, ([alone] for alone in some))

    def _together_at_most(self, one: Prepared) -> int:
        """How many images of that size there is memory for in a pass."""
        shape = tuple(one.tensor.shape)
        if shape not in self._most:
            classifier = self._explainer.classifier
            held = bytes_held(lambda: classifier.logits(one.tensor[None]))
            self._most[shape] = within(classifier.memory_mib, held)
        return self._most[shape]

    def _prepared(self, one: Wanted) -> tuple[Prepared | XaiError, float]:
        """An image as the network takes it, or why it is none, and the seconds that it took."""
        started, case = time.perf_counter(), one.case
        pixels = self._bench.store.get("pictures", self._pictures[case["image_id"]])[0]["pixels"]
        try:
            found: Prepared | XaiError = self._explainer.prepared(
                pixels, int(case["target_index"]), contrast=contrast_of(case), image_id=case["image_id"]
            )
        except XaiError as error:
            found = error
        return found, time.perf_counter() - started

    def _together(self, some: Sequence[Wanted], ready: Sequence[Prepared]) -> list[AttributionMap | None]:
        """The maps of a batch; where it fails, each image is tried by itself, and says why it has none."""
        try:
            most = self._together_at_most(ready[0]) if len(ready) > 1 else 1
            if len(ready) > most:
                parts = (slice(at, at + most) for at in range(0, len(ready), most))
                return [found for part in parts for found in self._together(some[part], ready[part])]
            return [self._finite(found) for found in self._explainer.together(ready)]
        except ArtifactError:
            raise
        except XaiError as error:
            if len(some) == 1:
                self._leave_out(some[0], error)
                return [None]
        return [found for one, of in zip(some, ready, strict=True) for found in self._together([one], [of])]

    def _finite(self, found: AttributionMap) -> AttributionMap:
        if not np.isfinite(found.values).all():
            raise not_finite(found.method, found.image_id)
        return found

    def _leave_out(self, one: Wanted, error: XaiError) -> None:
        named = in_words(one.case["target_name"], one.case["contrast_name"])
        self._bench.tally.leave_out("image classes", f"{one.case['image_id']} ({named})", str(error))

    def _masked(self, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> tuple[Arrays, Row]:
        """Arrays and metadata with the mask of the study's policy."""
        policy = self._bench.attribution.binarisation
        mask, threshold = binarise(arrays["values"], policy)
        said = {
            "policy": policy.model_dump(mode="json"),
            "threshold": threshold,
            "density": float(mask.mean()),
        }
        return {**arrays, "mask": mask.astype(np.uint8)}, {**meta, **said}


def _as_batch(
    some: Sequence[tuple[Wanted, Prepared, float]],
) -> tuple[list[Wanted], list[Prepared], float]:
    return [one for one, _, _ in some], [ready for _, ready, _ in some], sum(took for _, _, took in some)
