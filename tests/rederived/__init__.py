"""Every number of a study's summary tables made again from its raw tables, with scipy and formulas from papers."""
