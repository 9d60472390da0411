"""The front door of the console scripts: stdin, stdout, signals, exit status."""
