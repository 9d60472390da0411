"""How events look to a person: as plain text in a pipe, redrawn in place on a terminal. No I/O here."""
