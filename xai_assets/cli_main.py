"""How the command `xai` ends: its exit codes, and what it says of an error, in a line and never as a traceback.

0: done; 1: something that ran failed, or was found unfit; 2: something was missing or wrong before anything ran;
130: cancelled. An unexpected exception is a bug: its traceback is written to a file, and XAI_DEBUG=1 prints it.
"""

import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from xai_assets.cli_say import say
from xai_assets.error_text import cause_in_short, of_exception
from xai_assets.errors import XaiError
from xai_assets.settings import DEBUG, Settings
from xai_assets.text import printable

FAILED = 1
USAGE_ERROR = 2
CANCELLED = 130

_began = [False]


def work_began() -> None:
    """From now on an error counts as one of what ran (exit code 1), not as one of what was asked for (2)."""
    _began[0] = True


class Group(click.Group):
    """A group of commands whose errors are said in a line, and whose summaries are never cut in mid-sentence."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; its summary is the first sentence of its help where it has none of its own."""
        if cmd.help and not cmd.short_help:
            cmd.short_help = re.split(r"(?<=[.;:])\s", " ".join(cmd.help.split()), maxsplit=1)[0].rstrip(
                ".;:"
            )
        super().add_command(cmd, name)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command and exit."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(args, prog_name, complete_var, standalone_mode, **extra)
        _began[0] = False
        _never_fail_to_print()
        try:
            code = run(args, prog_name, complete_var, standalone_mode=False, **extra)
        except BrokenPipeError:
            _close_quietly()
        except BaseException as error:
            sys.exit(ended(error))
        sys.exit(code if isinstance(code, int) else 0)


def ended(error: BaseException) -> int:
    """Say what ended the command, and return its exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED if error.code else 0
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("Stopped.", err=True)
        return CANCELLED
    if isinstance(error, click.ClickException):
        vars(error)["message"] = printable(error.message)
        error.show()
        return error.exit_code
    for line in getattr(error, "lines", ()) if isinstance(error, XaiError) else ():
        say(line, err=True)  # each problem of a study's file
    said = of_exception(error, _data())
    if isinstance(error, XaiError):
        said = error.remedy if getattr(error, "lines", ()) else said
        say(said, err=True)
        return FAILED if _began[0] else USAGE_ERROR
    if said is not None:
        say(said, err=True)
        return FAILED if _began[0] else USAGE_ERROR
    report(error)
    return FAILED


def report(error: BaseException) -> None:
    """Say an unexpected exception in a line, and where its traceback is."""
    say(
        f"xai: {type(error).__name__}: {cause_in_short(str(error)) or 'no reason given'}. This is a bug in xai_assets, "
        f"not a fault of yours: please report it with {_written(error)} ({DEBUG}=1 prints it).",
        err=True,
    )


def _written(error: BaseException) -> str:
    text = "".join(traceback.format_exception(error))
    name = f"xai-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    for folder in (_data() / "errors", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return str(folder / name)
    return "its traceback"


def _data() -> Path:
    try:
        return Settings.from_environment().data
    except XaiError:
        return Path(tempfile.gettempdir())


def _never_fail_to_print() -> None:
    """A character that the terminal's encoding lacks is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_quietly() -> NoReturn:
    """End as programs do whose reader has gone (`xai sql | head`): without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(FAILED)
