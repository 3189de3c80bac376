"""What Dagster loads."""

from xai_assets.build import build_definitions
from xai_assets.own_caches import keep_inside

keep_inside()
defs = build_definitions()
