"""One module for each console script: its defaults and what it accepts, nothing else."""
