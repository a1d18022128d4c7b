"""Benchmarks: `python3 run bench` compares workloads with what the same machine's storage can do, in one run."""
