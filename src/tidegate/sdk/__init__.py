"""What authors write: tasks, workflows, gates, conditions."""
