"""Runs that outlive whoever asked for them: jobs in Redis, run by any machine of a fleet."""
