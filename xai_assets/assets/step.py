"""What every asset does around its work: opens the study, shows progress, and says how long and how much."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from xai_assets.checks.asked import left_out
from xai_assets.checks.check import Check
from xai_assets.execution import counts
from xai_assets.execution.retries import batch_share, free_memory, only_what_can_be_retried
from xai_assets.execution.run_inputs import pinned_study, same_input
from xai_assets.memory import PeakMemory
from xai_assets.progress import Progress
from xai_assets.resources.frames import content_version
from xai_assets.resources.table import Table
from xai_assets.settings import Settings
from xai_assets.text import printable
from xai_assets.web.shown import Markdown, markdown_entry, table_of

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

LOG_EVERY_SECONDS = 10.0
PREVIEW_ROWS = 12

Watcher = Callable[[str], Progress]
"""Given a step's name, what to call as it advances. `xai run` puts its progress bar here."""

_watcher: Watcher | None = None


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Show the progress of steps that run in this process with `watcher` instead of in the run's log."""
    global _watcher
    before, _watcher = _watcher, watcher
    try:
        yield
    finally:
        _watcher = before


def open_bench(context: dg.AssetExecutionContext) -> "Workbench":
    """The workbench of the partition's study as it was when the run began, its progress shown where this process does."""
    from xai_assets.analysis.workbench import Workbench

    progress = _watcher(context.asset_key.to_user_string()) if _watcher else _log_progress(context)
    settings = Settings.from_environment()
    file = pinned_study(context.instance, context.run_id, context.partition_key, settings)
    bench = Workbench(settings, file, progress)
    bench.same_input = partial(same_input, context.instance, context.run_id, settings)
    bench.tell = context.log.warning
    bench.batch_share = batch_share(context.retry_number)
    return bench


def run_step(
    context: dg.AssetExecutionContext,
    chapter: str | None,
    work: "Callable[[Workbench], Table]",
    *,
    checks: Sequence[Check] = (),
    made_from: Sequence[Table] = (),
    facts: "Callable[[Workbench, Table], Table] | None" = None,
    shown: "Callable[[Workbench, Table], Mapping[str, Any]] | None" = None,
    loads: Sequence[Table] = (),
    nothing: str | None = None,
    speed: str | None = None,
) -> dg.MaterializeResult[Table]:
    """Open the partition's study, do the work, and leave its table with what it cost.

    Args:
        context: the asset's context; its partition is the study.
        chapter: "dissection" or "attribution"; a study without it gets an empty table that says so. None: every study
            has the table.
        work: a function of `xai_assets.analysis` with its tables bound.
        checks: what has to hold of the table; declared on the asset as well.
        made_from: further tables that the checks look at.
        facts: one more, which says what the work has left in artifacts and in the warehouse.
        shown: further metadata of the table, where it has rows; it stands first.
        loads: tables whose content is the step's result where its own table only counts their rows, which are the rows
            that the asset is said to have.
        speed: the name of the metadata that say how many results a second the work has computed, what it reads and keeps
            included.
        nothing: why there may be no rows although the study asks for them, as a sentence: nothing is asked then.

    Returns:
        The table, with a data version that follows its content; metadata: rows, computed and reused, problems, seconds,
        what it ran on, peak memory in MiB, and a preview.

    Raises:
        dagster.Failure: the work failed in a way that another try would not mend.
    """
    import pandas as pd

    from xai_assets.vision.allocator import keep_freed_memory

    started = time.perf_counter()
    keep_freed_memory()
    if context.retry_number:
        free_memory()
    with only_what_can_be_retried():
        bench = open_bench(context)
    if chapter is not None and getattr(bench.study, chapter) is None:
        why = f"The study has no {chapter}."
        return dg.MaterializeResult(
            value=pd.DataFrame(),
            data_version=dg.DataVersion(content_version()),
            metadata={"dagster/row_count": 0, "note": why},
            check_results=[check.left_out(why) for check in checks],
        )
    with only_what_can_be_retried(), PeakMemory() as peak:
        began = time.perf_counter()
        frame = work(bench)
        worked = time.perf_counter() - began
    for problem in (*bench.tally.problems, *bench.tally.set_aside):
        context.log.warning(printable(problem))
    for damaged in bench.tally.made_again:
        context.log.warning(printable(f"Made again: {damaged}"))
    metadata: dict[str, Any] = {
        **(shown(bench, frame) if shown and len(frame) else {}),
        "dagster/row_count": int(frame["rows"].sum()) if loads else len(frame),
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_mib": peak.resident,
        **device_used(peak),
        **_texts(bench.tally.as_metadata()),
    }
    if speed is not None and bench.tally.computed:
        metadata[speed] = round(bench.tally.computed / worked, 1)
    if bench.tally.reused and not bench.tally.computed:
        metadata["note"] = f"Nothing was computed: all {bench.tally.reused} results were there."
    asset = context.asset_key.to_user_string()
    looked_at = [frame, *made_from, *([facts(bench, frame)] if facts else [])]
    if len(frame):
        metadata["preview"] = markdown_entry(_markdown(frame))
    return dg.MaterializeResult(
        value=frame,
        data_version=dg.DataVersion(content_version(frame, *loads)),
        metadata=metadata,
        check_results=_asked(checks, looked_at, left_out(bench.study, asset) or nothing),
    )


def _asked(
    checks: Sequence[Check], tables: Sequence[Table], why_not: str | None
) -> list[dg.AssetCheckResult]:
    """What the checks say; of an asset that the study leaves out, with the reason, nothing is asked."""
    if why_not is not None and not len(tables[0]):
        return [check.left_out(why_not) for check in checks]
    return [check.result(*tables, asked=True) for check in checks]


def _texts(metadata: Mapping[str, int | str]) -> dict[str, int | str]:
    """The entries, which the UI shows as plain text, with what cannot be seen made visible."""
    return {
        name: printable(value, lines=True) if isinstance(value, str) else value
        for name, value in metadata.items()
    }


def device_used(peak: PeakMemory) -> dict[str, str | int]:
    """What the networks of this process ran on, and the most GPU memory that they held, in MiB."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {"ran_on": "cpu"}
    if not torch.cuda.is_initialized():
        return {"ran_on": "cpu", "cpu_threads": torch.get_num_threads()}
    return {
        "ran_on": torch.cuda.get_device_name(),
        "peak_gpu_memory_mib": peak.gpu,
    }


def _log_progress(context: dg.AssetExecutionContext) -> Progress:
    last = time.perf_counter()
    count = counts.writer(context.asset_key.to_user_string())

    def progress(done: int, total: int) -> None:
        nonlocal last
        if count is not None:
            count(done, total)
        if time.perf_counter() - last >= LOG_EVERY_SECONDS and done < total:
            last = time.perf_counter()
            context.log.info(f"{done} of {total}")

    return progress


def _markdown(frame: Table) -> Markdown:
    """The first rows as a table for the UI."""
    return table_of(frame.head(PREVIEW_ROWS))
