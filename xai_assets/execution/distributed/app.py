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


def arguments(settings: Settings, config: Mapping[str, Any]) -> dict[str, Any]:
    """What Celery's application is made with.

    Args:
        settings: where Redis is, and when a worker counts as lost.
        config: broker, backend, include and config_source, as under `celery:` of a run; what is given goes before the
            settings.

    Raises:
        XaiError: no broker is given, or one that is not Redis.
    """
    broker = config.get("broker") or settings.broker
    if broker is None:
        raise XaiError(
            "the celery executor",
            "knows no Redis",
            "Set XAI_BROKER=redis://HOST:6379/0 for the run and for every worker.",
        )
    if not broker.startswith(("redis://", "rediss://")):
        raise XaiError(
            f"broker {broker.split(':')[0]}:...",
            "is not Redis",
            "Give redis://... or, with TLS, rediss://...",
        )
    given = dict(config.get("config_source") or {})
    transport = {
        **DEFAULT_CONFIG["broker_transport_options"],
        # Not how long a step may take: workers say that they live, and by it that the message is theirs.
        "visibility_timeout": settings.lost_after,
        "unacked_restore_interval": settings.lost_after / SIGNS,
        "unacked_restore_throttle": 1,
        **given.pop("broker_transport_options", {}),
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
        **given,
    }
    return {
        "broker": broker,
        "backend": config.get("backend") or broker,
        "include": list(config.get("include") or []),
        "config_source": dict_wrapper(source),
    }


def application(settings: Settings, config: Mapping[str, Any] | None = None) -> Celery:
    """The application; see `arguments`."""
    return make_app(arguments(settings, config or {}))
