"""What ``python -m probes`` offers, one file per kind of command."""
