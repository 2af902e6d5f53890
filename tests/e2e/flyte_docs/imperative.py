"""The same line, put together node by node."""

from tidegate import Workflow, task


@task
def slope(x: list[int], y: list[int]) -> float:
    return (y[-1] - y[0]) / (x[-1] - x[0])


@task
def intercept(x: list[int], y: list[int], slope: float) -> float:
    return y[0] - slope * x[0]


imperative_wf = Workflow(name="imperative_workflow")
imperative_wf.add_workflow_input("x", list[int])
imperative_wf.add_workflow_input("y", list[int])

node_t1 = imperative_wf.add_entity(
    slope, x=imperative_wf.inputs["x"], y=imperative_wf.inputs["y"]
)
node_t2 = imperative_wf.add_entity(
    intercept,
    x=imperative_wf.inputs["x"],
    y=imperative_wf.inputs["y"],
    slope=node_t1.outputs["o0"],
)

imperative_wf.add_workflow_output("wf_output", node_t2.outputs["o0"])
