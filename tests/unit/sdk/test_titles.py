"""The title and the figures of a gate when a workflow is compiled: what they may name, and what is refused."""

from dataclasses import dataclass
from typing import Any

import pytest

from tidegate import (
    CompileError,
    ExecutionFailed,
    File,
    Workflow,
    approve,
    dynamic,
    task,
    wait_for_input,
    workflow,
)
from tidegate.ir.expr import Const, InputRef, NodeId, OutputRef
from tidegate.ir.graph import ApproveNode, InputNode, Question
from tidegate.testing import Sandbox


@dataclass
class Model:
    name: str
    auc: float
    tags: list[str]


@task
def train(seed: int = 1) -> Model:
    return Model("churn", 0.912345678, ["a", "b"])


@task
def report() -> File:
    raise NotImplementedError


def question(**options: Any) -> Question:
    """Compile a gate over a model, in a workflow with the inputs `region` and `limits`."""

    @workflow
    def deploy(region: str, limits: dict[str, float]) -> Model:
        return approve(train(), "go", **options)

    node = deploy.compiled().graph.nodes[NodeId("n1")]
    assert isinstance(node, ApproveNode)
    return node.question


def refused(**options: Any) -> str:
    with pytest.raises(CompileError) as caught:
        question(**options)
    return caught.value.message


def item(*path: str | int) -> OutputRef:
    return OutputRef(NodeId("n0"), "o0", path)


@pytest.mark.parametrize(
    ("title", "parts"),
    [
        ("Deploy", ("Deploy",)),
        (
            "Deploy {item.name} to {region}",
            ("Deploy ", item("name"), " to ", InputRef("region")),
        ),
        ("{limits[upper]}", (InputRef("limits", ("upper",)),)),
        (
            "{limits['upper']}{limits.lower}",
            tuple(InputRef("limits", (k,)) for k in ("upper", "lower")),
        ),
        ("{item.tags[0]} {item[tags][-1]}", (item("tags", 0), " ", item("tags", -1))),
        ("{{region}} costs {{}}", ("{region} costs {}",)),
    ],
)
def test_a_title_names_inputs_and_the_item_with_fields_and_keys(title, parts):
    assert question(title=title).title == parts


def test_a_title_names_what_is_shown():
    @workflow
    def deploy(region: str) -> str:
        model = train()
        return wait_for_input(
            "note",
            expected_type=str,
            show={"model": model, "region": model.name},
            title="{model.auc}: {region}",
        )

    node = deploy.compiled().graph.nodes[NodeId("n1")]
    assert isinstance(node, InputNode)
    assert node.question.title == (item("auc"), ": ", item("name"))


def test_a_title_names_what_is_shown_as_a_list_by_the_names_it_gets_there():
    @workflow
    def deploy() -> str:
        return wait_for_input("note", expected_type=str, show=[train().name], title="{train.name}")

    node = deploy.compiled().graph.nodes[NodeId("n1")]
    assert isinstance(node, InputNode)
    assert node.question.title == (item("name"),)


def test_a_figure_is_waited_for_like_what_is_shown():
    @workflow
    def deploy() -> str:
        return wait_for_input("note", expected_type=str, figures={"AUC": train().auc})

    with Sandbox() as sandbox:
        sandbox.launch(deploy)
        assert [each.figures for each in sandbox.inbox()] == [{"AUC": 0.912345678}]


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("{model.name}", "names 'model', but the names there are: region, limits, item"),
        ("{}", "names ''"),
        ("{item.nam}", "no"),
        ("{item.auc:.2f}", "a name may be followed by .field and [key] only"),
        ("{item.auc!r}", "a name may be followed by .field and [key] only"),
        ("{region.upper()}", "region"),
        ("{region + 1}", "names 'region + 1'"),
        ("{item.name", "a single '{' at character 1; write '{{' for one"),
        ("a}", "a single '}' at character 2"),
        ("{item}", "is a record, which no list can show; name one of its fields"),
        ("{item.tags}", "is a list, which no list can show"),
        ("", "title must be a text"),
        (" ", "title must be a text"),
        (7, "title must be a text"),
        ("a\nb", "one line"),
        ("x" * 501, "at most 500 characters"),
    ],
)
def test_a_title_that_cannot_be_shown_is_refused_when_the_workflow_is_compiled(title, words):
    message = refused(title=title)

    assert "'go'" in message
    assert words in message


def test_an_input_gate_has_no_item():
    @workflow
    def ask(region: str) -> str:
        return wait_for_input("note", expected_type=str, title="{item}")

    with pytest.raises(CompileError, match=r"the names there are: region"):
        ask.compiled()


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (["AUC"], "figures must be a dict of promises by name"),
        ({f"f{n}": n for n in range(9)}, "has 9 figures; at most 8 are allowed"),
        ({"x" * 61: 1}, "has a name of 61 characters; at most 60"),
        ({"": 1}, "needs a non-empty string as its name"),
        ({7: 1}, "needs a non-empty string as its name"),
        ({"tags": [1, 2]}, "figure 'tags' is a list"),
    ],
)
def test_figures_that_cannot_be_shown_are_refused(figures, words):
    assert words in refused(figures=figures)


def test_a_record_is_not_a_figure():
    with pytest.raises(CompileError, match="figure 'model' is a record"):

        @workflow
        def deploy() -> Model:
            model = train()
            return approve(model, "go", figures={"model": model})

        deploy.compiled()


def test_a_file_in_a_title_is_shown_by_its_name():
    @workflow
    def publish() -> File:
        return approve(report(), "go", title="Publish {item}")

    assert publish.compiled().graph.nodes


def test_a_gate_without_title_and_figures_is_stored_as_it_always_was():
    assert question() == Question()


def test_an_imperative_workflow_has_titles_too():
    flow = Workflow(name="imperative")
    flow.add_workflow_input("region", str)
    node = flow.add_wait_for_input("note", expected_type=str, title="To {region}")
    flow.add_workflow_output("o0", node.outputs["o0"])

    gate = flow.compiled().graph.nodes[NodeId("n0")]
    assert isinstance(gate, InputNode)
    assert gate.question.title == ("To ", InputRef("region"))


@dynamic
def each(names: list[str], price: Model) -> str:
    answer = ""
    for n, name in enumerate(names):
        answer = wait_for_input(
            f"note-{n}",
            expected_type=str,
            show={"who": name},
            title="For {who}, {price.auc}, {names[0]}",
            figures={"AUC": price.auc},
        )
    return answer


@workflow
def everybody() -> str:
    return each(names=["ann", "bob"], price=train())


def test_in_a_dynamic_the_inputs_are_values_and_can_be_named():
    with Sandbox() as sandbox:
        sandbox.launch(everybody)
        listed = sandbox.inbox()

    assert [each.title for each in listed] == ["For ann, 0.912346, ann", "For bob, 0.912346, ann"]
    assert [each.figures for each in listed] == [{"AUC": 0.912345678}] * 2


def test_a_dynamic_refuses_a_name_of_a_field_that_is_not_there():
    @dynamic
    def one(price: Model) -> str:
        return wait_for_input("note", expected_type=str, title="{price.cost}")

    with pytest.raises(ExecutionFailed, match="there is no 'cost' in Model"):
        one(price=Model("a", 1.0, []))


def test_a_constant_may_be_a_figure():
    assert question(figures={"stage": "live"}).figures == {"stage": Const("live")}
