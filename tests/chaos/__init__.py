"""Chaos: a server is killed again and again under load, then an audit counts what was lost and what was done twice."""
