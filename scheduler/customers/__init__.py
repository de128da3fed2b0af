"""The companies that the desk attends: found, kept, let in, brought in from a file, merged."""
