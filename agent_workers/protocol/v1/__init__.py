"""Version 1 of the contract. Within it fields and event types are only ever added."""

VERSION = 1
