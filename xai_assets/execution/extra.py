"""Whether what the distributed engine needs is installed; it is an extra of the package."""

from importlib.util import find_spec

from xai_assets.errors import XaiError


def need_celery(who: str) -> None:
    """Raise XaiError with the remedy where `who` needs the extra and it is absent."""
    absent = [name for name in ("dagster_celery", "redis") if find_spec(name) is None]
    if absent:
        raise XaiError(
            who, f"needs {', '.join(absent)}", 'Install the extra: pip install "xai-assets[celery]"'
        )
