"""What only Postgres can do to us, and the little that only we can do to it."""
