"""Items, keys and fields of outputs, also through each other; and those that are not there."""

from dataclasses import dataclass
from typing import Dict, List

from pydantic import BaseModel

from tidegate import WorkflowFailurePolicy, task, workflow

printed: list[object] = []


@task
def print_str(a: str):
    printed.append(a)
    return


@task
def print_list(a: List[str]):
    printed.append(a)


@task
def print_dict(a: Dict[str, str]):
    printed.append(a)


@task
def list_task() -> List[str]:
    return ["a", "b"]


@workflow
def list_wf():
    o = list_task()
    print_str(a=o[0])


@task
def dict_task() -> Dict[str, str]:
    return {"a": "b"}


@workflow
def dict_wf():
    o = dict_task()
    print_str(a=o["a"])


@dataclass
class foo:
    a: str


@task
def dataclass_task() -> foo:
    return foo(a="c")


@workflow
def dataclass_wf():
    o = dataclass_task()
    print_str(a=o.a)


class Fruit(BaseModel):
    name: str


@task
def model_task() -> Fruit:
    return Fruit(name="fig")


@workflow
def model_wf():
    o = model_task()
    print_str(a=o.name)


@task
def advance_task() -> (Dict[str, List[str]], List[Dict[str, str]], Dict[str, foo], dict[str, Fruit]):
    return {"a": ["b"]}, [{"a": "b"}], {"a": foo(a="b")}, {"a": Fruit(name="fig")}


@workflow
def advanced_workflow():
    dl, ld, dd, dm = advance_task()
    print_str(a=dl["a"][0])
    print_str(a=ld[0]["a"])
    print_str(a=dd["a"].a)
    print_str(a=dm["a"].name)

    print_list(a=dl["a"])
    print_dict(a=ld[0])


@task
def failed_task() -> (List[str], Dict[str, str]):
    return ["a", "b"], {"a": "b"}


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def failed_workflow():
    l, d = failed_task()
    print_str(a=l[100])
    print_str(a=d["b"])
    print_str(a=l[1])


@workflow
def no_field_workflow():
    print_str(a=dataclass_task().b)
