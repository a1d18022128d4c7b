"""Servers that the tests start themselves, or are told of."""
