"""What a model has answered, for every engine: its text, its structured output, its price, and how it failed."""
