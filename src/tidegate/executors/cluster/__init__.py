"""Attempts on the nodes of a Ray cluster: the owner's side, its link to the cluster, and the keeper of a node."""
