"""The shell around the machine: it drains, decides, commits, acts."""
