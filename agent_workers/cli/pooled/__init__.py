"""A worker's command line served by a pool: this process copies, and imports next to nothing until something is odd."""
