"""The desk's own people and hours: made and changed by a dispatcher, each change in the audit log."""
