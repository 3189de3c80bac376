"""Signs of life: by them a worker keeps its message for however long the step takes, and runs know who listens.

Redis gives a message that is not done to another worker after a time. Without signs of life that time would have to be
longer than the longest step, and a killed worker's step would wait as long.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from xai_assets.errors import XaiError

KEY = "xai-worker."
"""What the keys of living workers begin with; they expire."""

_log = logging.getLogger(__name__)


class Pulse:
    """A thread that says every few seconds that the worker lives and which message it has.

    Args:
        app: whose Redis it is said to.
        name: the worker's.
        queues: those that it listens to.
        seconds: between two signs.
        lost_after: seconds after the last sign when the worker counts as lost.
    """

    def __init__(
        self, app: Celery, name: str, queues: Sequence[str], *, seconds: float, lost_after: int
    ) -> None:
        self._app, self._key, self._queues = app, f"{KEY}{name}", ",".join(queues)
        self._seconds, self._lost_after = seconds, lost_after
        self._message: str | None = None
        threading.Thread(target=self._beat, name="signs-of-life", daemon=True).start()

    @contextmanager
    def holding(self, message: str | None) -> Iterator[None]:
        """While a step runs: its message is this worker's."""
        self._message = message
        try:
            yield
        finally:
            self._message = None

    def _beat(self) -> None:
        while True:
            try:
                self._give_sign()
            except (OperationalError, RedisError, OSError) as error:
                _log.warning("Redis does not answer; this worker may count as lost: %s", error)
            time.sleep(self._seconds)

    def _give_sign(self) -> None:
        with _redis(self._app) as (channel, redis):
            redis.set(self._key, self._queues, ex=self._lost_after)
            if self._message is not None:
                # Only where it is still there: one that was done meanwhile is not brought back.
                redis.zadd(channel.unacked_index_key, {self._message: time.time()}, xx=True)


def listened_to(app: Celery) -> set[str]:
    """The queues that living workers listen to; raises XaiError where Redis does not answer."""
    try:
        with _redis(app) as (_, redis):
            said = [redis.get(key) for key in redis.scan_iter(match=f"{KEY}*")]
    except (OperationalError, RedisError, OSError) as error:
        broker = app.connection_for_write().as_uri()  # without its password
        raise XaiError(
            f"broker {broker}", f"does not answer: {error}".rstrip("."), "Start Redis, or mend XAI_BROKER."
        ) from error
    return {queue for queues in said if queues for queue in queues.decode().split(",")}


@contextmanager
def _redis(app: Celery) -> Iterator[tuple[Any, Any]]:
    with app.connection_for_write() as connection:
        channel = connection.default_channel
        with channel.conn_or_acquire() as client:
            yield channel, client
