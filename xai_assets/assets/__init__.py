"""The asset graph, a chapter a module. An asset is an adapter: its work stands in `xai_assets.analysis`.

No module here imports torch at its top: definitions load in a moment.
"""
