"""Keep what libraries write beside their results in the data folder, and Dagster's usage statistics off.

Every entry point (the command, its workers, the code location) calls this before it imports those libraries; processes
that they start inherit it. A program that uses the package as a library keeps its own environment.
"""

import os

from xai_assets.errors import XaiError
from xai_assets.settings import Settings

FOLDER = "cache"

FOLDERS = {
    "XDG_CACHE_HOME": ".",  # fontconfig and all that follow the XDG base directory specification
    "MPLCONFIGDIR": "matplotlib",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",
    "TRITON_CACHE_DIR": "triton",
    "TORCH_HOME": "torch",
    "HF_HOME": "huggingface",
    "CUDA_CACHE_PATH": "cuda",
}
"""Variables that name the cache of a library, with its folder in ours; without them it is in the home folder."""

SWITCHES = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",  # dagster.yaml does not stop the thread that uploads; this does
    "HF_HUB_DISABLE_TELEMETRY": "1",
}


def keep_inside() -> None:
    """Set the variables of this process and of those that it starts; what is set already stays as it is."""
    for variable, value in SWITCHES.items():
        os.environ.setdefault(variable, value)
    try:
        folder = Settings.from_environment().data / FOLDER
    except (XaiError, ValueError, RuntimeError):
        return  # a wrong setting is reported by what needs it, which then runs nothing
    for variable, name in FOLDERS.items():
        os.environ.setdefault(variable, str(folder / name))
