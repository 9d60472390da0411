"""What the agent asks during a run, and who answers: rules, people, and the application."""
