"""What Dagster loads."""

from xai_assets.build import build_definitions

defs = build_definitions()
