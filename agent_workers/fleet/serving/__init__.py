"""The workers' side of a fleet: takes jobs, runs each in a process of its own, and writes what it says."""
