"""What an agent asks whoever runs it, for every engine: questions, and calls of the application's tools."""
