"""The pool: real worker processes behind a real socket, against the simulated API."""
