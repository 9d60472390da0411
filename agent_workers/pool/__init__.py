"""The server of workers that are started ahead behind a Unix socket: it hands each connection to one of them."""
