"""The Celery application, the same for runs and for workers: which Redis, and when a message counts as done."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from dagster_celery.config import DEFAULT_CONFIG, dict_wrapper
from dagster_celery.make_app import make_app

from xai_assets.errors import XaiError
from xai_assets.execution.op_tags import DEFAULT_QUEUE
from xai_assets.settings import Settings

SIGNS = 4
"""How many signs of life a worker gives in the time after which it counts as lost."""


JSON = ("json",)
"""What a message may be written in, on every side. Pickle and YAML can hold code."""


def arguments(settings: Settings, config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What Celery's application is made with. All of it comes from the settings of this host.

    Args:
        settings: where Redis is, and when a worker counts as lost.
        config: what a run asks for, which is refused: who may start a run would choose what is imported and unpickled.

    Raises:
        XaiError: no broker is set, or the run chose one.
    """
    if config:
        raise XaiError(
            f"celery: {', '.join(sorted(map(str, config)))}",
            "cannot be chosen by a run",
            "Remove it from the run's config. The broker is XAI_BROKER of the host; messages are JSON.",
        )
    broker = settings.broker
    if broker is None:
        raise XaiError(
            "the celery executor",
            "knows no Redis",
            "Set XAI_BROKER=redis://HOST:6379/0 for the run and for every worker.",
        )
    transport = {
        **DEFAULT_CONFIG["broker_transport_options"],
        # Not how long a step may take: workers say that they live, and by it that the message is theirs.
        "visibility_timeout": settings.lost_after,
        "unacked_restore_interval": settings.lost_after / SIGNS,
        "unacked_restore_throttle": 1,
    }
    source = {
        **DEFAULT_CONFIG,
        "task_default_queue": DEFAULT_QUEUE,
        "task_acks_late": True,  # a message is done when its step is
        "task_reject_on_worker_lost": True,
        "task_track_started": True,  # so that a run that is stopped knows which steps to wait for
        "worker_prefetch_multiplier": 1,  # one step at a time, and none in reserve
        "worker_deduplicate_successful_tasks": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,  # Dagster captures a step's output
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": transport,
        "accept_content": list(JSON),
        "result_accept_content": list(JSON),
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
    }
    return {
        "broker": broker,
        "backend": broker,
        "include": [],
        "config_source": dict_wrapper(source),
    }


def application(settings: Settings) -> Celery:
    """The application; see `arguments`."""
    return make_app(arguments(settings))
