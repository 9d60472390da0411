"""The CLI's process: started, guarded, written to, read, and ended with everything that it started."""
