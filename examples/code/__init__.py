"""Workflows as ordinary code: small ones that do what is often needed. Each can be run by itself."""
