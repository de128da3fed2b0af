"""What customers ask for besides a window: support by mail and returns."""
