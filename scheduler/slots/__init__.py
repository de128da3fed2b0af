"""When somebody could attend, whether a wish is bookable, and how it wins its place."""
