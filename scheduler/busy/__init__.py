"""Technicians' own calendars coming in: fetched, read in a bounded process, kept as busy times and nothing else."""
