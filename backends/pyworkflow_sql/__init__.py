"""What stores in SQL share: how rows are made and read, and the queries that are built."""
