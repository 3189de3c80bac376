"""Other libraries' progress bars, for which they have no switch: left out, since a command shows its own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


@contextmanager
def no_bars(*modules: ModuleType) -> Iterator[None]:
    """Let each module's `tqdm` (tqdm's module or its function) pass on what it is given."""
    before = [vars(module)["tqdm"] for module in modules]
    for module in modules:
        vars(module)["tqdm"] = _Plain()
    try:
        yield
    finally:
        for module, bars in zip(modules, before, strict=True):
            vars(module)["tqdm"] = bars


class _Plain:
    """As tqdm's function, and as a module that has one."""

    def __call__(self, items: Iterable[Any]) -> Iterable[Any]:
        return items

    tqdm = __call__
