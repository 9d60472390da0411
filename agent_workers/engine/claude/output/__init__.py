"""What tools print while they run, as events: that of commands, and that of the application's tools."""
