"""The order business of examples/, end to end and in parts."""
