"""How much of the past and of the future calendars show."""

DAYS_BACK, DAYS_AHEAD = 30, 180
"""Whole days in UTC around today."""
