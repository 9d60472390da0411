"""The CLI's process: started, watched over, fed, read, and ended with all that it has started."""
