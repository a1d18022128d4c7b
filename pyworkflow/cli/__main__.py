"""`python -m pyworkflow.cli`, the same as `pyworkflow`."""

from . import main

if __name__ == "__main__":
    main(prog_name="pyworkflow")
