"""What a workflow is, as frozen data: expressions, nodes, graphs, and whether a graph can run."""
