"""Webhooks: other programs are told what happens to bookings, signed as standardwebhooks.com describes.

endpoints.py keeps who is told, emitting.py writes what to tell in the transaction it follows from, delivering.py
sends it.
"""
