"""Answers to our invitations (iTIP REPLY, RFC 5546 §3.2.3): fetched, read, kept, shown. They change no booking."""
