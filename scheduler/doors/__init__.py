"""Customers' systems and the ways into them, with their credentials."""
