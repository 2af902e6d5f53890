"""
Launch, watch and answer from a program, on a server.

    $ tidegate serve
    $ tidegate register report.py
    ...
    $ python client.py
    {'title': 'From a program', 'mean': 2.0, 'length': 3, 'max': 3.0, 'min': 1.0}
"""

from tidegate.remote import Remote


def main() -> None:
    """Answer both questions of `report.py`."""
    remote = Remote()
    workflow = remote.fetch_workflow("report.report_wf")
    execution = remote.execute(workflow, {"data": [1.0, 2.0, 3.0]}, id="from-a-program")
    # An input may be answered before its gate opens; an approval not before there is something to approve.
    remote.set_signal("title", "from-a-program", "From a program")
    for _ in remote.watch(execution):
        if found := [item for item in remote.inbox() if item.name == "review"]:
            remote.approve(found[0], comment="by a program")
            break
    remote.wait(execution, timeout=30)
    print(execution.outputs.o0)


if __name__ == "__main__":
    main()
