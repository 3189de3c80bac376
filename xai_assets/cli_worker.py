"""`xai worker`: one of the processes that do the steps of runs with the executor `celery`."""

import os
import sys

import click

from xai_assets.cli_say import say
from xai_assets.execution.extra import need_celery
from xai_assets.execution.op_tags import QUEUES
from xai_assets.settings import Settings


@click.command()
@click.option(
    "--queue",
    "queues",
    multiple=True,
    required=True,
    type=click.Choice(QUEUES),
    help="gpu: runs networks; default: compares and measures on the CPU; warehouse: only on the host of the DuckDB "
    "file and of the web server; may be given more than once",
)
@click.option(
    "--device", help="queue gpu: the device's number or id, where there are several; one worker for each"
)
@click.option("--name", help="the worker's name in the run's log; default: its queues and its process")
def worker(queues: tuple[str, ...], device: str | None, name: str | None) -> None:
    """Do steps of runs that other hosts start, one at a time, until stopped (Ctrl-C ends after the step in hand)."""
    need_celery("xai worker")
    from xai_assets.execution.distributed.worker import post, work

    settings = Settings.from_environment()
    given = post(settings, queues, device)
    say(f"Worker for {', '.join(queues)}, process {os.getpid()}, {given.said}", err=True)
    sys.exit(work(settings, queues, name, given))
