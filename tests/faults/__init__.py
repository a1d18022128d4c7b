"""Faults under the workers of the order example, on servers: at the end the audit of the example must be clean."""
