"""What happens to a booking: each public verb is one step in the caller's one transaction."""
