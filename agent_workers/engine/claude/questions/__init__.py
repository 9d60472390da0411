"""What the agent asks during a run, and who answers: rules, people, or the application."""
