"""Builds the web UI when the package is built or installed, if its sources have changed. What it does is in `ui/build.py`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class UiBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that hatchling calls."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node as a wheel, but only where the UI must be built and there is no Node."""
        ui = self._ui()
        if ui is None or not ui.wanted() or ui.is_built() or ui.has_node():
            return []
        return [ui.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI. Where that is not possible, the package is built without it, unless it is required."""
        del version, build_data
        ui = self._ui()
        if ui is None or not ui.wanted():
            return
        try:
            ui.build()
        except ui.CannotBuild as error:
            if ui.is_required():
                raise SystemExit(f"The web UI could not be built: {error}") from error
            message = (
                f"The web UI could not be built ({error}). The API and the command line work without it;"
                " to have the page, install Node 20.19 or newer and install again."
            )
            print(f"WARNING: {message}", file=sys.stderr)
            self.app.display_warning(message)

    def _ui(self) -> ModuleType | None:
        path = Path(self.root) / "ui" / "build.py"
        spec = importlib.util.spec_from_file_location("tidegate_ui_build", path)
        if not path.is_file() or spec is None or spec.loader is None:
            return None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
