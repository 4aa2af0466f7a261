"""Name maps and conditioning rules as data, a file per family."""
