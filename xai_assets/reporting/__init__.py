"""Reports: what a study's tables and artifacts say, as HTML, PDF and JSON.

Here belongs everything between a study's results and a finished report: which images and units are shown, the
sentences that numbers carry, overlays and charts, the templates' filters, and WeasyPrint. A report computes no
explanation and reads no database: it is given DataFrames (`results.StudyResults`), and every number that it prints
stands in its `report.json` too. How a report looks is in `reports_templates/`.
"""
