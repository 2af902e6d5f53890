"""Source trees: which files belong to a workflow, and how they travel."""
