"""The stores and backends that come with pyworkflow, by the suites that they must pass."""
