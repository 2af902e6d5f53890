"""
What travels through a door: requests, views and pages, the same for the terminal, the local socket and HTTP.

A request is one struct of the union `Request`. The service answers it with the view that its class declares (`class Launch(Ask[ExecutionView])`),
or raises an error of `tidegate.errors`, which travels as a problem. Instants are aware UTC `datetime`s in views; values are plain JSON.
"""

from tidegate.wire.access import *  # noqa: F403  the package is its modules, and a second list of their names would say nothing
from tidegate.wire.ask import *  # noqa: F403
from tidegate.wire.check import Checked as Checked
from tidegate.wire.check import check as check
from tidegate.wire.check import misfit as misfit
from tidegate.wire.check import read as read
from tidegate.wire.constraints import *  # noqa: F403
from tidegate.wire.merging import merged as merged
from tidegate.wire.questions import *  # noqa: F403
from tidegate.wire.requests import *  # noqa: F403
from tidegate.wire.views import *  # noqa: F403
