"""Mutants: bugs planted one at a time, to see that the tests find them. `python3 run mutants`."""
