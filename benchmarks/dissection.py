"""Dissection against the algorithms as they were published: `python -m benchmarks.dissection scoring`.

Each part is a module with `add_arguments(parser)` and `run(arguments)`; it prints ratios measured in one run. One
thread each (OMP_NUM_THREADS decides), the contenders one after the other.
"""

import argparse

from benchmarks import (
    dissection_activations,
    dissection_pixel_labels,
    dissection_scoring,
    dissection_shuffled,
)

PARTS = {
    "scoring": dissection_scoring,
    "pixel-labels": dissection_pixel_labels,
    "activations": dissection_activations,
    "shuffled": dissection_shuffled,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dissection", description=__doc__)
    commands = parser.add_subparsers(dest="part", required=True)
    for name, part in PARTS.items():
        one = commands.add_parser(name, help=part.__doc__.splitlines()[0])
        part.add_arguments(one)
        one.set_defaults(parts=[part])
    everything = commands.add_parser("all", help="every part, at its usual size")
    everything.set_defaults(parts=list(PARTS.values()))
    arguments = parser.parse_args()
    for part in arguments.parts:
        usual = argparse.ArgumentParser()
        part.add_arguments(usual)
        part.run(usual.parse_args([]) if arguments.part == "all" else arguments)


if __name__ == "__main__":
    main()
