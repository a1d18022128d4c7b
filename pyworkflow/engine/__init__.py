"""The engine: a pure state machine over heads, the seam to stores, and a Backend over any store."""
