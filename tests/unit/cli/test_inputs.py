"""Options of a workflow's inputs."""

from datetime import UTC, datetime

import click
import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.cli.inputs import inputs_help, read_inputs
from tidegate.cli.values import Reader
from tidegate.errors import InvalidValue
from tidegate.wire import InputView, WorkflowView

LIST = {"type": "array", "items": {"type": "number"}}


def workflow(**schemas):
    inputs = [
        InputView(
            name=name, schema=schema, expects="x", **({"default": 1} if name == "spare" else {})
        )
        for name, schema in schemas.items()
    ]
    return WorkflowView(
        name="m.wf",
        version="1",
        module="m",
        bundle="",
        registered=datetime(2026, 1, 1, tzinfo=UTC),
        inputs=inputs,
        outputs={},
    )


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def read(schemas, *words, whole=None):
        return read_inputs(
            workflow(**schemas),
            words,
            whole,
            Reader(BlobFiles(BlobDirectory(tmp_path / "home" / "blobs"))),
        )

    return read


@pytest.mark.parametrize(
    ("schema", "words", "value"),
    [
        ({"type": "integer"}, ("--x", "-5"), -5),
        ({"type": "integer"}, ("--x=7",), 7),
        ({"type": "number"}, ("--x", "1e3"), 1000.0),
        ({"type": "string"}, ("--x", "[1, 2]"), "[1, 2]"),
        ({"type": "string"}, ("--x", '"quoted"'), '"quoted"'),
        ({"type": "string"}, ("--x", "--y"), "--y"),
        ({"type": "string"}, ("--x", "@nobody"), "@nobody"),
        ({"type": "string"}, ("--x", "@@nobody"), "@nobody"),
        ({"type": "string"}, ("--x", ""), ""),
        (LIST, ("--x", "[1, 2]"), [1, 2]),
        ({"type": "boolean"}, ("--x",), True),
        ({"type": "boolean"}, ("--no-x",), False),
        ({"type": "boolean"}, ("--x", "no"), False),
        ({"type": "string", "format": "iso-duration"}, ("--x", "10 minutes"), "PT10M"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, ("--x", "null"), None),
    ],
)
def test_a_value_is_read_by_its_type(read, schema, words, value):
    assert read({"x": schema}, *words) == {"x": value}


def test_a_name_with_underscores_may_be_written_with_dashes(read):
    assert read({"my_name": {"type": "integer"}}, "--my-name", "1") == {"my_name": 1}


def test_single_options_go_over_the_one_object(read):
    number = {"type": "integer"}
    assert read({"a": number, "b": number}, "--b", "3", whole='{"a": 1, "b": 2}') == {
        "a": 1,
        "b": 3,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--numbr", "1"), "did you mean --number"),
        (("--zzz", "1"), "the inputs are: --number"),
        (("1",), "unexpected argument"),
        (("--number",), "needs a value"),
    ],
)
def test_a_wrong_option_is_refused_with_those_there_are(read, words, message):
    with pytest.raises(click.UsageError, match=message):
        read({"number": {"type": "integer"}}, *words)


def test_what_is_missing_is_named_and_what_has_a_default_is_not(read):
    with pytest.raises(InvalidValue) as caught:
        read({"a": {"type": "integer"}, "spare": {"type": "integer"}})
    assert [fault.path for fault in caught.value.faults] == [("a",)]


@pytest.mark.parametrize(
    "whole", ["[1]", "{", "1", "@nowhere.json", '{"a": NaN}', '{"a": 1, "a": 2}']
)
def test_an_object_that_is_none_is_refused(read, whole):
    with pytest.raises(InvalidValue):
        read({"a": {"type": "number"}}, whole=whole)


def test_an_input_with_the_name_of_an_option_is_given_by_the_object(read):
    assert "with --inputs" in inputs_help(workflow(home={"type": "string"}), "f.py")
    with pytest.raises(InvalidValue, match="inputs") as caught:
        read({"home": {"type": "string"}})
    assert "--inputs" in caught.value.faults[0].reason
