"""Tags by which an executor knows what a step needs. They are op_tags: `tags` of an asset never reach its step.

Tags of executors that a run does not use cost nothing, so that one bundle serves all of them.
"""

from typing import Any

DEVICE = "xai/device"
CUDA = "cuda"

QUEUE = "dagster-celery/queue"
GPU_QUEUE, DEFAULT_QUEUE, WAREHOUSE_QUEUE = "gpu", "default", "warehouse"
QUEUES = (GPU_QUEUE, DEFAULT_QUEUE, WAREHOUSE_QUEUE)

MODEL: dict[str, Any] = {
    DEVICE: CUDA,
    QUEUE: GPU_QUEUE,
    "dagster-ray/config": {"num_gpus": 1},
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}},
}
"""Runs a network over many inputs: on a GPU where there is one, else on the CPU."""

LIGHT: dict[str, Any] = {DEVICE: "cpu", QUEUE: DEFAULT_QUEUE}
"""Reads, compares or renders: a GPU would stand idle."""

PRIORITY = "dagster/priority"
"""Of the steps that could begin, an executor takes the highest first."""

SOON = {PRIORITY: "10"}
"""Of what people wait for and that takes seconds: the reports."""

LATE = {PRIORITY: "-10"}
"""Of a step that takes minutes where others take seconds."""

LAST = {PRIORITY: "-20"}
"""Of the measures that ask the model again for every map: reports that show none of them are made before."""

HOME: dict[str, Any] = {DEVICE: "cpu", QUEUE: WAREHOUSE_QUEUE}
"""Opens the DuckDB file or writes what people open: on the host where the file, the reports and the web server are."""
