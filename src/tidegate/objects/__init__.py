"""
The files of a store in an object store: S3, Google Cloud Storage, Azure Blob Storage, or a directory that several machines share.

Only the process that owns the store, or reads it, talks to the object store and has its credentials. Workers ask that process (`broker`).
Below the address are `store`, whose store this is; `blobs/` and `bundles/`, each content under its digest; `logs/` and `decks/`.
"""
