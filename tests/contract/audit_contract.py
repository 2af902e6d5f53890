"""What every store promises about its audit log. Used as `JournalContract` is."""

from msgspec import structs
from tests.contract.store_rows import NOON

from tidegate.ir.graph import Instant
from tidegate.ports.audit import DECISION, REFUSED, SIGN_IN, AuditQuery, AuditRow
from tidegate.ports.journal import Batch
from tidegate.ports.store import Store


def line(number, kind=DECISION, who="ada", execution="e1"):
    return AuditRow(
        at=Instant(NOON + number),
        kind=kind,
        who=who,
        credential="token:0a1b2c3d",
        via="api",
        address="192.0.2.1",
        execution=execution,
        about="ok",
        outcome="approved",
        shown="1-ab",
        count=3,
        number=number,
    )


def found(store, **wanted):
    return [row.number for row in store.audit.page(AuditQuery(**wanted)).rows]


class AuditContract:
    """The promises. `store` is a fixture of the subclass."""

    def test_lines_come_back_as_they_were_recorded_the_newest_first(self, store: Store):
        store.audit.record([line(1), line(2)])
        store.journal.append(Batch(audit=[line(3)]))

        page = store.audit.page(AuditQuery())
        assert page.rows == [line(3), line(2), line(1)]
        assert page.before == 0

    def test_a_page_says_where_the_next_one_begins(self, store: Store):
        store.audit.record([line(number) for number in range(1, 8)])

        pages, before = [], AuditQuery().before
        while before:
            page = store.audit.page(AuditQuery(before=before, limit=3))
            pages.append([row.number for row in page.rows])
            before = page.before
        assert pages == [[7, 6, 5], [4, 3, 2], [1]]

    def test_lines_are_found_by_kind_by_who_by_execution_and_by_time(self, store: Store):
        store.audit.record(
            [line(1), line(2, SIGN_IN, execution=""), line(3, who="bob"), line(4, execution="e2")]
        )

        assert found(store, kind=SIGN_IN) == [2]
        assert found(store, who="bob") == [3]
        assert found(store, execution="e1") == [3, 1]
        assert found(store, since=NOON + 2, until=NOON + 4) == [3, 2]
        assert found(store, who="eve") == []

    def test_a_page_looks_at_a_stretch_of_lines_and_no_more(self, store: Store):
        store.audit.record([line(1, who="eve"), *(line(number) for number in range(2, 8))])

        page = store.audit.page(AuditQuery(who="eve", scan=4))
        assert (page.rows, page.before) == ([], 4)
        assert store.audit.page(AuditQuery(who="eve", scan=4, before=4)).rows == [
            line(1, who="eve")
        ]

    def test_refusals_are_counted_since_an_instant(self, store: Store):
        refused = [structs.replace(line(number, REFUSED), count=9) for number in (1, 2, 3)]
        store.audit.record([*refused, line(4)])

        assert store.audit.refusals(NOON) == 3
        assert store.audit.refusals(NOON + 3) == 1
