"""
What the engine and the service need of the world; adapters implement these, and one contract suite per port tests every adapter.

A database implements `journal`, `listings`, `catalog`, `access` and `changes`, all of them together as `store.Store`;
file stores implement `blobs` or `bundles`; whatever runs tasks implements `executor`.
"""
