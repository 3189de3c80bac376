"""When assets run: partitions, jobs, schedules, sensors, conditions. What they compute does not stand here."""
