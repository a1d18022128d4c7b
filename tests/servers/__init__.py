"""Servers for tests, on loopback or unix sockets, in directories of their own, gone when the test is."""
