"""Settings that only one task has, a file a task."""
