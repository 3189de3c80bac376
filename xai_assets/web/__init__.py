"""How results reach the browser. What they show is made by `xai_assets.reporting`."""
