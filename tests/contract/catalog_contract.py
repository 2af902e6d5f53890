"""What every catalog of workflows promises. Used as `JournalContract` is."""

import pytest
from msgspec.structs import replace
from tests.contract.store_rows import NOON, workflow

from tidegate.errors import UnknownWorkflow
from tidegate.ports.store import Store


class CatalogContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_a_new_catalog_is_empty(self, store: Store):
        assert store.catalog.workflows() == []

    def test_a_workflow_comes_back_as_it_was_put(self, store: Store):
        row = store.catalog.put_workflow(workflow())

        assert row.id > 0
        assert row == store.catalog.workflow(row.id) == store.catalog.find_workflow("report", "v1")
        assert (row.graph, row.bundle, row.module) == (b"graph", "bundle-digest", "report.py")
        assert row.registered == NOON

    def test_the_same_name_and_version_again_returns_the_first(self, store: Store):
        first = store.catalog.put_workflow(workflow(graph=b"one"))

        second = store.catalog.put_workflow(workflow(graph=b"two"))

        assert second == first
        assert store.catalog.workflow(first.id).graph == b"one"

    def test_the_same_code_again_is_stored_with_what_it_imports_now(self, store: Store):
        first = store.catalog.put_workflow(replace(workflow(), recorded="one"))

        again = store.catalog.put_workflow(replace(workflow(), recorded="two"))
        other = store.catalog.put_workflow(replace(workflow(), bundle="other", recorded="three"))

        assert (first.recorded, again.recorded, other.recorded) == ("one", "two", "two")
        assert again.id == other.id == first.id

    def test_versions_may_share_a_graph(self, store: Store):
        first = store.catalog.put_workflow(workflow())
        second = store.catalog.put_workflow(workflow(version="v2"))

        assert first.id != second.id
        assert first.graph == second.graph

    def test_the_version_registered_last_is_the_latest(self, store: Store):
        store.catalog.put_workflow(workflow(version="v9"))
        store.catalog.put_workflow(workflow(version="v10"))
        last = store.catalog.put_workflow(workflow(version="v1", graph=b"other"))
        train = store.catalog.put_workflow(workflow("a-train"))
        store.catalog.put_workflow(workflow(version="v9"))

        assert store.catalog.find_workflow("report") == last
        assert store.catalog.workflows() == [train, last]

    def test_the_versions_of_a_workflow_are_listed_the_last_first(self, store: Store):
        for version in ("v1", "v2", "v3"):
            store.catalog.put_workflow(workflow(version=version))
        store.catalog.put_workflow(workflow("other"))

        assert [row.version for row in store.catalog.versions("report", 100)] == ["v3", "v2", "v1"]
        assert [row.version for row in store.catalog.versions("report", 2)] == ["v3", "v2"]
        assert store.catalog.versions("none", 100) == []

    def test_an_unknown_workflow_is_said_to_be_unknown(self, store: Store):
        store.catalog.put_workflow(workflow())

        assert store.catalog.find_workflow("repor") is None
        assert store.catalog.find_workflow("Report") is None
        assert store.catalog.find_workflow("report", "v2") is None
        with pytest.raises(UnknownWorkflow, match="77"):
            store.catalog.workflow(77)
