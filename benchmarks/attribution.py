"""Attribution against the libraries, in one process: `python -m benchmarks.attribution cams|lime|all [options]`.

Each part is a program of its own, `benchmarks/attribution_cams.py` and `benchmarks/attribution_lime.py`; options go to
the part.
"""

import importlib
import sys

PARTS = ("cams", "lime")


def main() -> None:
    chosen, *options = sys.argv[1:] or ["--help"]
    if chosen not in (*PARTS, "all"):
        raise SystemExit(__doc__)
    for part in PARTS if chosen == "all" else (chosen,):
        name = f"benchmarks.attribution_{part}"
        sys.argv = [name, *options]
        importlib.import_module(name).main()


if __name__ == "__main__":
    main()
