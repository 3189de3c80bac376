"""When assets run: partitions, jobs and schedules. What they compute does not stand here."""
