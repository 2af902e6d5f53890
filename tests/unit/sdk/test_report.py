"""The page of an attempt: it holds its decks, and never more than a page may hold."""

from tidegate.sdk.report import MAX_PAGE, PROLOGUE, DeckReport, Section, page, protected

PIXEL = b"\x89PNG\r\n\x1a\n" + b"\0" * 8


def test_a_page_begins_with_its_own_policy_before_any_byte_of_the_author():
    made = page([Section("name", "<script>x</script><b>mine</b>")])

    assert made.startswith(PROLOGUE)
    assert b"default-src 'none'; style-src 'unsafe-inline'; img-src data:" in PROLOGUE
    assert b"mine" not in PROLOGUE
    assert b"<b>mine</b>" in made
    assert b"&lt;script&gt;" in made
    assert b"<script" not in made


def test_what_one_deck_leaves_open_ends_with_it():
    made = page([Section("a", "<div><b><table><tr><td>"), Section("b", "</section></body>x")])

    assert made.count(b"<section>") == made.count(b"</section>") == 2


def test_a_page_of_an_earlier_version_gets_what_it_lacks():
    old = (
        b"<!doctype html><html><head><style>p{}</style></head><body><script>x</script><p>shown</p>"
    )
    new = page([Section("a", "b")])

    assert protected(new) == new
    assert protected(old).startswith(PROLOGUE)
    assert b"<p>shown</p>" in protected(old)
    assert b"<script" not in protected(old)


def test_the_name_of_a_deck_is_escaped():
    assert b"<img" not in page([Section("<img src=x>")])


def test_a_deck_that_does_not_fit_is_left_out_and_the_page_says_so():
    made = page([Section("small", "one"), Section("big", "x" * MAX_PAGE), Section("last", "two")])

    assert len(made) <= MAX_PAGE
    assert b"one" in made
    assert b"left out: 5.0 MiB" in made
    assert b"two" in made


def test_no_number_of_decks_makes_a_page_too_large():
    made = page([Section("x" * 300, "y" * 100_000) for _ in range(1000)])

    assert len(made) <= MAX_PAGE


def test_a_report_is_kept_when_it_is_published_and_not_when_it_is_empty():
    kept: list[bytes] = []
    report = DeckReport(kept.append)

    report.publish()
    assert kept == []

    report.default_deck.text("there")
    report.publish()
    assert b"there" in kept[0]


def test_what_is_not_a_deck_does_not_break_the_page():
    assert b"</html>" in page(["text", Section("a", "b")])


def test_what_is_published_after_the_end_is_stored_nowhere():
    kept: list[bytes] = []
    report = DeckReport(kept.append)
    section = report.default_deck.text("bad: 40 %")

    page_at_the_end = report.freeze()
    section._parts[:] = ["good: 0.1 %"]
    report.publish()

    assert b"bad: 40 %" in page_at_the_end
    assert kept == []
    assert DeckReport(kept.append).freeze() == b""
