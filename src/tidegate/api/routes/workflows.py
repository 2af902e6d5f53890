"""Workflows over HTTP: to bring their code, register them, list them and their versions, and look at one."""

import asyncio

from tidegate.api.bodies import RegisterBody, Stored, VersionQuery
from tidegate.api.desk import Desk
from tidegate.api.route import BYTES, Call, Content, Reply, Route
from tidegate.bundles.archive import MAX_ARCHIVE, archive_of, bundle_path, install, is_whole
from tidegate.errors import CodeError, UnknownBundle, UnknownWorkflow
from tidegate.service.access import Action
from tidegate.wire import (
    GetWorkflow,
    ListVersions,
    ListWorkflows,
    Register,
    WorkflowDetail,
    WorkflowList,
)


async def put_bundle(desk: Desk, call: Call) -> Reply:
    """Store a source tree: an uncompressed tar file of plain files. The same tree has the same digest, and 200 says that it was there."""
    archive = await asyncio.to_thread(archive_of, call.body)
    known = await asyncio.to_thread(is_whole, bundle_path(desk.home, archive.digest))
    await asyncio.to_thread(install, archive, desk.home)
    return Reply(Stored(archive.digest), 200 if known else 201)


async def get_bundle(desk: Desk, call: Call) -> Reply:
    """Say whether a bundle is stored, so that it need not be sent."""
    digest = call.path["digest"]
    if not await asyncio.to_thread(is_whole, bundle_path(desk.home, digest)):
        raise UnknownBundle(f"no bundle with the digest {digest} is stored")
    return Reply(Stored(digest))


async def register(desk: Desk, call: Call) -> Reply:
    """Register the workflows of a module of a stored bundle, or only some of them. The same again changes nothing."""
    body: RegisterBody = call.body
    request = Register(
        bundle=body.bundle,
        module=body.module,
        version=body.version,
        only=body.only,
        who=call.who,
        via=call.via,
    )
    return Reply(await desk.ask(call, request, WorkflowList))


async def list_workflows(desk: Desk, call: Call) -> Reply:
    """List the latest version of each workflow."""
    return Reply(await desk.ask(call, ListWorkflows(), WorkflowList))


async def get_workflow(desk: Desk, call: Call) -> Reply:
    """Return a version of a workflow, the latest if none is given: what it takes and gives as JSON Schema, and its graph."""
    query: VersionQuery = call.query
    request = GetWorkflow(name=call.path["name"], version=query.version)
    return Reply(await desk.ask(call, request, WorkflowDetail))


async def list_versions(desk: Desk, call: Call) -> Reply:
    """List the versions of a workflow, the one registered last first."""
    return Reply(await desk.ask(call, ListVersions(name=call.path["name"]), WorkflowList))


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
    Route(
        method="POST",
        path="/api/v1/workflows",
        action=Action.REGISTER,
        handler=register,
        body=RegisterBody,
        gives={200: WorkflowList},
        refuses=(CodeError, UnknownWorkflow),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/workflows",
        action=Action.LIST_WORKFLOWS,
        handler=list_workflows,
        gives={200: WorkflowList},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/workflows/{name}/versions",
        action=Action.LIST_VERSIONS,
        handler=list_versions,
        gives={200: WorkflowList},
        refuses=(UnknownWorkflow,),
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/workflows/{name}",
        action=Action.GET_WORKFLOW,
        handler=get_workflow,
        query=VersionQuery,
        gives={200: WorkflowDetail},
        refuses=(UnknownWorkflow,),
        tag=TAG,
    ),
)
