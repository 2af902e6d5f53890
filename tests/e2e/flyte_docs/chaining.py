"""Tasks and sub-workflows without outputs, ordered by `>>` and by `create_node`."""

from tidegate import create_node, task, workflow

ran: list[str] = []


@task
def boil():
    ran.append("boil")
    return


@task
def grind():
    ran.append("grind")
    return


@task
def pour():
    ran.append("pour")


@workflow
def chain_tasks_wf():
    pour_promise = pour()
    grind_promise = grind()
    boil_promise = boil()

    boil_promise >> grind_promise
    grind_promise >> pour_promise


@workflow
def last_wf():
    pour()


@workflow
def first_wf():
    boil()


@workflow
def chain_workflows_wf():
    last = last_wf()
    first = first_wf()

    first >> last


@workflow
def chain_nodes_wf():
    last = create_node(pour)
    first = create_node(boil)

    first >> last
