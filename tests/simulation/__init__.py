"""Random worlds with one seed: users, deciders, workers and faults against one store, in virtual time."""
