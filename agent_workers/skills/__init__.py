"""Skills: folders of files that describe an agent's job, with typed input and output."""
