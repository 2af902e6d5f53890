"""Workflows over HTTP: upload their code, register them, list them and their versions, and get one."""

import asyncio

from tidegate.api.backend import Backend
from tidegate.api.route import BYTES, MAX_JSON, Call, Content, Reply, Route, asking
from tidegate.bundles.archive import MAX_ARCHIVE, archive_of
from tidegate.errors import CodeError, UnknownBundle, UnknownWorkflow
from tidegate.service.access import Action
from tidegate.wire import Stored


async def put_bundle(backend: Backend, call: Call) -> Reply:
    """Store a source tree: an uncompressed tar file of regular files. The same tree has the same digest, and status 200 if it was already stored."""
    archive = await asyncio.to_thread(archive_of, call.body)
    is_new = await asyncio.to_thread(backend.service.bundles.put, archive)
    return Reply(Stored(archive.digest), 201 if is_new else 200)


async def get_bundle(backend: Backend, call: Call) -> Reply:
    """Say whether a bundle is stored, so that it need not be uploaded."""
    digest = call.path["digest"]
    if not await asyncio.to_thread(backend.service.bundles.has, digest):
        raise UnknownBundle(f"no bundle with the digest {digest} is stored")
    return Reply(Stored(digest))


TAG = "workflows"

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/bundles",
        action=Action.PUT_BUNDLE,
        handler=put_bundle,
        body=Content(("application/x-tar", BYTES), MAX_ARCHIVE),
        gives={201: Stored, 200: Stored},
        refuses=(CodeError,),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/bundles/{digest}",
        action=Action.PUT_BUNDLE,
        handler=get_bundle,
        gives={200: Stored},
        refuses=(UnknownBundle, CodeError),
        tag=TAG,
    ),
    asking("register", TAG, CodeError, UnknownWorkflow, limit=MAX_JSON),
    asking("list_workflows", TAG),
    asking("list_versions", TAG, UnknownWorkflow),
    asking("get_workflow", TAG, UnknownWorkflow),
    asking("check_inputs", TAG, UnknownWorkflow, limit=MAX_JSON),
)
