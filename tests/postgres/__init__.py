"""What only Postgres can do to us, and the little that only we can do to it."""

from pyworkflow.testing import StoreSuite  # Before its bench is imported by itself, for asserts that say more.

__all__ = ["StoreSuite"]
