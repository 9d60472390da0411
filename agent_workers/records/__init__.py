"""What was said, done and spent, in a database of the operator's own."""
