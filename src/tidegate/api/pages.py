"""
The files of the web UI, if it is built: its page, and the page's assets, which have a digest in their names and are cached indefinitely.

Every file is listed when the server starts, so no requested path can lead anywhere else.
"""

import mimetypes
import secrets
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from tidegate.api.route import Reply

PAGE = "index.html"
ASSETS = "assets/"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data: blob:; media-src 'self';"
    " font-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'none'"
)
ASSET_POLICY = "default-src 'none'; frame-ancestors 'none'"
DECODER = "assets/pdf.worker"
DECODER_POLICY = "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'"
"""Images in a PDF are decoded by WebAssembly, in a worker that can do nothing else: it fetches nothing, and evaluates no script."""
NONCE = b'<meta name="tidegate-nonce" content="'
"""The placeholder of the nonce in the page, which creates its styles at run time."""

NOT_BUILT = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tidegate</title></head>
<body><h1>Tidegate</h1><p>The web UI is not built into this installation. To build it, install Node 20.19 or newer and install Tidegate
again: <code>pip install --force-reinstall --no-deps .</code> in its clone.</p><p>The API is at <code>/api/v1</code>, its description at
<code>/api/openapi.json</code>; the command <code>tidegate inbox</code> shows what waits.</p></body></html>
"""


def is_built() -> bool:
    """Return whether this installation has the web UI."""
    return files("tidegate").joinpath("_ui", PAGE).is_file()


class Pages:
    """The files of the UI, by path."""

    def __init__(self, root: Traversable | None = None) -> None:
        found = files("tidegate").joinpath("_ui") if root is None else root
        self._files: Mapping[str, Traversable] = dict(_listed(found)) if found.is_dir() else {}

    def find(self, path: str, *, packed: bool = False) -> Reply | None:
        """Return the file at a path outside the API; None if there is none. Paths without a dot in their last part belong to the page. `packed`: the client accepts compression."""
        if path.startswith("/api/") or path == "/api":
            return None
        name = path.lstrip("/")
        file = self._files.get(name)
        if file is not None and name != PAGE:
            kept = "public, max-age=31536000, immutable" if name.startswith(ASSETS) else "no-cache"
            squeezed = self._files.get(f"{name}.gz") if packed else None
            if squeezed is not None:
                return _reply(squeezed.read_bytes(), name, kept, packed=True)
            return _reply(file.read_bytes(), name, kept)
        if "." in name.rpartition("/")[2] and name != PAGE:
            return None
        page = self._files.get(PAGE)
        return _reply(NOT_BUILT if page is None else page.read_bytes(), PAGE, "no-cache")


def _listed(folder: Traversable, before: str = "") -> list[tuple[str, Traversable]]:
    found = []
    for each in folder.iterdir():
        name = before + each.name
        found += _listed(each, f"{name}/") if each.is_dir() else [(name, each)]
    return found


def _reply(body: bytes, name: str, kept: str, *, packed: bool = False) -> Reply:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    media = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    nonce = secrets.token_urlsafe(16) if name == PAGE else ""
    policy = DECODER_POLICY if name.startswith(DECODER) else ASSET_POLICY
    if nonce:
        policy = POLICY.replace("{nonce}", nonce)
    headers = {"cache-control": kept, "content-security-policy": policy, "vary": "accept-encoding"}
    if packed:
        headers["content-encoding"] = "gzip"
    return Reply(
        body.replace(NONCE, NONCE + nonce.encode(), 1) if nonce else body, 200, headers, media
    )
