"""Serving a store: the engine, its workers, and the HTTP door, in one process tree."""

import gc
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from msgspec import structs

from tidegate.api.accept import attend
from tidegate.api.app import make_app
from tidegate.api.pages import is_built
from tidegate.api.server import (
    Behind,
    CannotListen,
    find_family,
    listen,
    listen_twin,
    serve,
)
from tidegate.api.settings import Settings, check_exposure
from tidegate.cli.ending import opened
from tidegate.cli.render import tell
from tidegate.cli.store import PATIENCE, PAUSE
from tidegate.cli.way import spelled
from tidegate.core.traces import is_traced
from tidegate.errors import StoreLocked
from tidegate.home import TOKEN_FILE
from tidegate.remote.local import is_owned
from tidegate.runtime import Runtime
from tidegate.service.quotas import DEFAULTS
from tidegate.wire import MakeCode

GRACE = 25.0
"""Seconds: Kubernetes kills what has not ended after 30, and closing takes up to five."""


def serve_store(
    home: Path,
    take: Callable[[tuple[str, str]], Runtime],
    settings: Settings,
    prepare: Callable[[Runtime, str], Callable[[], None]] | None = None,
    grace: float = GRACE,
    quotas: Mapping[str, int] = DEFAULTS,
) -> int:
    """
    Serve the store in `home` until told to stop, and up to `grace` seconds longer while attempts run. `take` becomes its owner, or one of its owners,
    as a server with this address and version.

    `prepare` is called with the address before anything is served, and returns what to do then. Errors: `EngineFailed` if the engine has failed.
    """
    listening = _listening(settings)
    try:
        settings = _with_twin(listening, settings)
        url, presence = _presented(settings, listening[0].getsockname()[1])
        with opened(partial(_take, home, partial(take, presence))) as runtime, _traced(runtime):
            shares = runtime.service.replicas.shares
            runtime.service.tokens.admin_token(home / TOKEN_FILE, is_shared=shares is not None)
            app = make_app(runtime.service, version("tidegate"), settings, shares)
            runtime.follow_quotas(quotas)
            door = runtime.open_door()
            runtime.service.codes.page = settings.page or url
            then = None if prepare is None else prepare(runtime, url)
            # Objects loaded so far live as long as the process: the garbage collector need not scan them again.
            gc.freeze()

            def ready() -> None:
                tell(f"tidegate serves {home} at {url}")
                tell_link(runtime)
                if then is not None:
                    then()

            local = (
                None
                if door is None
                else partial(attend, door.listener, app.local, door.part, door.refusal)
            )
            behind = Behind(
                parts=runtime.parts,
                grace=grace,
                ready=ready,
                drain=runtime.service.drain,
                closing=app.close,
                on_end=runtime.on_end,
                turning=runtime.turning,
                beside=local,
            )
            serve(app, listening, settings, behind)
            if runtime.failure is not None:
                raise runtime.failure
    finally:
        for each in listening:
            each.close()
    tell("stopped; everything accepted is stored")
    sys.stdout.flush()
    return 0


@contextmanager
def _traced(runtime: Runtime) -> Iterator[None]:
    """Send traces, if a variable of OpenTelemetry says where to."""
    if not is_traced(os.environ):
        yield
        return
    try:
        from tidegate.otel import OtelSpans  # noqa: PLC0415 - an extra
    except ImportError as error:
        tell(f"no traces are sent, because {error}: pip install 'tidegate[otel]'")
        yield
        return
    traces, part = runtime.service.traces(OtelSpans()), runtime.parts.part("traces", tidies=True)
    runtime.service.on_commit(traces.stir, "trace-signal")
    part.run(lambda: traces.follow(part))
    try:
        yield
    finally:
        part.stop()
        traces.stir()
        part.join()


def _listening(settings: Settings) -> list[socket.socket]:
    find_family(settings.host)  # before a typo is reported as exposing the server
    check_exposure(settings)
    return [listen(settings.host, settings.port)]


def _with_twin(listening: list[socket.socket], settings: Settings) -> Settings:
    """Listen at the other loopback address, too, or say that `localhost` leads elsewhere."""
    try:
        if (twin := listen_twin(listening[0])) is not None:
            listening.append(twin)
    except CannotListen as error:
        tell(
            f"{error.message.partition(';')[0]}: localhost may lead there, so it is not used as a name of this server"
        )
        return structs.replace(settings, localhost=False)
    return settings


def tell_link(runtime: Runtime) -> None:
    """Print a link that signs the user of this process in to the page, once, and how to get another."""
    if is_built():
        made = runtime.handle(MakeCode())
        tell(f"Open {made.link}  (once, within a minute; another: {spelled('open')})")


def _take(home: Path, take: Callable[[], Runtime]) -> Runtime:
    """Become the owner of the store; a process that only stores an answer, or is about to end, releases it soon."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            return take()
        except StoreLocked:
            if is_owned(home) or time.monotonic() > give_up:
                raise
            time.sleep(PAUSE)


def _presented(settings: Settings, port: int) -> tuple[str, tuple[str, str]]:
    """Return the URL, and how the server presents itself to others of its store."""
    presence = settings.address(port, for_others=True), version("tidegate")
    return settings.address(port), presence
