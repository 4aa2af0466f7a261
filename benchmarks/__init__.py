"""Benchmarks: each prints one table, with the system that we compare with measured in the same run."""
