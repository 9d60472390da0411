"""What a run finds on its host: its variables, directories and credentials."""
