"""
Programs in the manner of each chapter of Flyte's guide give what they would give there, in a plain call.

Each file of `flyte_docs` uses the constructs of one chapter, in its way of writing them: names, argument orders, annotations.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tidegate import CompileError, ExecutionFailed


def chapter(name: str) -> ModuleType:
    return importlib.import_module(f"tests.e2e.flyte_docs.{name}")


@pytest.mark.parametrize(
    ("name", "ran"),
    [
        ("chain_tasks_wf", ["boil", "grind", "pour"]),
        ("chain_workflows_wf", ["boil", "pour"]),
        ("chain_nodes_wf", ["boil", "pour"]),
    ],
)
def test_chaining(name, ran):
    module = chapter("chaining")
    module.ran.clear()

    assert getattr(module, name)() is None
    assert module.ran == ran


@pytest.mark.parametrize(
    ("name", "inputs", "result"),
    [
        ("convert", {"celsius": 10.0}, 50.0),
        ("convert", {"celsius": 100.0}, 373.15),
        ("convert_many", {"celsius": 0.5}, 32.9),
        ("convert_many", {"celsius": 10.0}, 283.15),
        ("convert_twice", {"celsius": 0.5}, 32.9 + 273.15),
        ("even_wf", {}, -1),
        ("even_wf", {"number": 4}, 0),
        ("boolean_input_wf", {"boolean_input": True}, 0),
        ("boolean_input_wf", {"boolean_input": False}, -1),
        ("nested_conditions", {"celsius": 0.4}, 32.72),
        ("nested_conditions", {"celsius": 0.6}, 273.75),
        ("nested_conditions", {"celsius": 5.0}, 278.15),
        ("consume_task_output", {"celsius": 0.4}, 273.55),
        ("consume_task_output", {"celsius": 0.4, "number": 2}, 32.72),
        ("noop_in_conditional", {"celsius": 0.4}, 0.4),
        ("noop_in_conditional", {"celsius": 0.4, "number": 2}, 32.72),
    ],
)
def test_conditionals(name, inputs, result):
    assert getattr(chapter("conditionals"), name)(**inputs) == pytest.approx(result)


@pytest.mark.parametrize(
    ("name", "celsius", "message"),
    [
        ("convert_many", 11.0, "It must be between 0.1 and 10."),
        ("nested_conditions", 0.95, "0.9 is an outlier."),
        ("nested_conditions", 20.0, "It must be between 0.1 and 10."),
    ],
)
def test_conditionals_that_fail(name, celsius, message):
    with pytest.raises(ExecutionFailed, match=message):
        getattr(chapter("conditionals"), name)(celsius=celsius)


def test_dynamic_workflows():
    module = chapter("dynamics")
    numbers = [18, 3, 32, 26, 38, 7, 9, 24, 31, 71]

    assert module.dynamic_wf(s1="Pear", s2="Earth") == 3
    assert module.merge_sort(numbers=numbers, count=10) == sorted(numbers)
    assert module.merge_sort(numbers=numbers, count=10, small=2) == sorted(numbers)


@pytest.mark.parametrize(
    ("name", "inputs", "result"),
    [
        ("line_wf", {"x": [0, 2], "y": [1, 5]}, (2.0, 1.0)),
        ("at_wf", {}, 11.0),
        ("at_wf", {"val": 1}, 3.0),
        ("nested_wf", {}, 11.0),
        ("nested_lp", {}, 15.0),
        ("launch_plan", {}, 15.0),
        ("default_plan", {"x": [0, 2], "y": [1, 5]}, (2.0, 1.0)),
        ("created_plan", {}, (2.0, 1.0)),
        ("created_plan", {"y": [0, 0]}, (0.0, 0.0)),
    ],
)
def test_sub_workflows(name, inputs, result):
    assert getattr(chapter("subworkflows"), name)(**inputs) == result


def test_imperative_workflows():
    assert chapter("imperative").imperative_wf(x=[0, 2], y=[1, 5]) == 1.0


def test_named_outputs():
    result = chapter("named_outputs").size_wf()

    assert result == (4.0, 2.5)
    assert (result.width, result.height) == (4.0, 2.5)


@pytest.mark.parametrize(("name", "wf"), [("dataclasses_", "dataclass_wf"), ("models", "model_wf")])
def test_dataclasses_and_models(name, wf):
    module = chapter(name)

    entry, luggage = getattr(module, wf)(x=10, y=20)

    assert entry == module.Entry(x=30, y="1020", z={10: "10", 20: "20"})
    assert Path(luggage.file).read_text() == "Hello, sea!"
    assert [p.name for p in Path(luggage.directory).iterdir()] == ["df.parquet"]
    assert list(luggage.dataframe.open(module.pd.DataFrame).all()["Age"]) == [36, 85]


def test_enums():
    module = chapter("enums")

    assert module.tea_maker(tea="mint") == "Brewing mint tea"
    assert module.tea_maker_enum(tea_enum=module.Tea.GREEN) == "Brewing green tea"
    with pytest.raises(ExecutionFailed, match="'coffee' is not a valid Tea"):
        module.tea_maker(tea="coffee")


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("list_wf", ["a"]),
        ("dict_wf", ["b"]),
        ("dataclass_wf", ["c"]),
        ("model_wf", ["fig"]),
        ("advanced_workflow", ["b", "b", "b", "fig", ["b"], {"a": "b"}]),
    ],
)
def test_attribute_access(name: str, printed: list[Any]):
    module = chapter("attributes")
    module.printed.clear()

    getattr(module, name)()

    assert module.printed == printed


def test_attributes_that_are_not_there():
    module = chapter("attributes")
    module.printed.clear()

    with pytest.raises(ExecutionFailed, match="has no (100|'b')"):
        module.failed_workflow()
    assert module.printed == ["b"]
    with pytest.raises(CompileError, match="'b'"):
        module.no_field_workflow()


def test_files(tmp_path):
    source = tmp_path / "ages.csv"
    source.write_text("Name,Age\nAda,36\nGrace,85\n")
    module = chapter("files")
    names = {"column_names": ["Name", "Age"], "columns_to_center": ["Age"]}

    for given in (str(source), module.FlyteFile(str(source))):
        result = module.center_csv_file(csv_url=given, **names)
        assert Path(result.path).name == "centered-ages.csv"
        assert Path(result).read_text().split() == ["Age", "-24.5", "24.5"]
    assert source.read_text().startswith("Name,Age")


def test_folders():
    result = chapter("files").write_and_shout(texts=["a", "b"], marks=[["!"], ["?", "?"]])

    assert sorted(p.name for p in Path(result).iterdir()) == ["0.txt", "1.txt"]
    assert Path(result.path, "1.txt").read_text() == "B??"


TERMINAL = [
    ("chaining", "chain_workflows_wf", (), None),
    ("conditionals", "nested_conditions", ("--celsius", "0.6"), 273.75),
    (
        "dynamics",
        "merge_sort",
        ("--numbers", "[3, 1, 2]", "--count", "3", "--small", "1"),
        [1, 2, 3],
    ),
    ("subworkflows", "nested_lp", (), 15.0),
    ("imperative", "imperative_wf", ("--x", "[0, 2]", "--y", "[1, 5]"), 1.0),
    ("named_outputs", "size_wf", (), {"width": 4.0, "height": 2.5}),
    ("enums", "tea_maker_enum", ("--tea-enum", "mint"), "Brewing mint tea"),
    ("attributes", "advanced_workflow", (), None),
]


def test_at_the_terminal_they_give_the_same(tidegate):
    for name, wf, inputs, result in TERMINAL:
        tidegate.write(f"{name}.py", Path(chapter(name).__file__).read_text())
        assert tidegate("run", f"{name}.py", wf, *inputs).json == result


def test_at_the_terminal_a_record_brings_its_table_file_and_directory(tidegate):
    tidegate.write("records.py", Path(chapter("dataclasses_").__file__).read_text())

    made = tidegate("run", "records.py", "dataclass_wf", "--x", "10", "--y", "20").json

    assert made["o0"] == {"x": 30, "y": "1020", "z": {"10": "10", "20": "20"}}
    assert made["o1"]["file"]["size"] == len("Hello, sea!")
    assert made["o1"]["directory"]["about"] == "1 file"
    assert made["o1"]["dataframe"]["media"].endswith("parquet")
