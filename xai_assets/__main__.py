"""`python -m xai_assets` is the command `xai`."""

from xai_assets.cli import main

main()
