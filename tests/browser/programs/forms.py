"""Workflows that ask for records: with files, lists, choices, suggestions and defaults."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal, Optional

from pydantic import BaseModel, Field

from tidegate import File, task, wait_for_input, workflow


@dataclass
class Claim:
    title: str
    receipt: File
    notes: str
    more: Optional[File] = None


@task
def title_of(claim: Claim) -> str:
    return f"{claim.title}: {claim.notes}"


@workflow
def ask_claim() -> str:
    return title_of(claim=wait_for_input("claim", expected_type=Claim))


class Finding(BaseModel):
    page: Annotated[int, Field(ge=1, le=14)]
    severity: Literal["low", "medium", "high"]
    text: str


class Review(BaseModel):
    verdict: Literal["publish", "publish with changes", "withhold"]
    findings: list[Finding] = Field(max_length=20)
    confidence: float = Field(ge=0, le=1, description="How sure you are.")
    embargo_until: Optional[date] = None
    annotated: Optional[File] = None
    note_to_author: Optional[str] = None


@task
def draft_review() -> Review:
    return Review(
        verdict="publish with changes",
        findings=[Finding(page=9, severity="high", text="Say whether the price is held fixed.")],
        confidence=0.8,
    )


@task
def count(review: Review) -> str:
    return f"{review.verdict}, {len(review.findings)}"


@workflow
def ask_review() -> str:
    suggested = draft_review()
    review = wait_for_input(
        "review",
        expected_type=Review,
        prompt="Read the report and list what must change before it is published.",
        suggested=suggested,
    )
    return count(review=review)


class Level(enum.Enum):
    lowest = "LOWEST"
    IN_PROGRESS = "in progress"
    MEDIUM = "the level that most of the reports of this kind have"


Ten = Literal["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
Six = Literal["north", "east", "south", "west", "up", "down"]


@dataclass
class Order:
    level: Level
    six: Six
    ten: Ten
    amount: int = 1000
    note: str = "standard"
    kind: Optional[Literal["gift", "loan"]] = None
    tags: list[str] = field(default_factory=list)


@task
def write(order: Order) -> str:
    return repr(order)


@workflow
def ask_order() -> str:
    return write(order=wait_for_input("order", expected_type=Order))


@task
def write_when(when: datetime) -> str:
    return when.isoformat()


@workflow
def ask_when(when: datetime) -> str:
    """Ask for a time, with the one that is given as the suggestion."""
    return write_when(when=wait_for_input("when", expected_type=datetime, suggested=when))


@workflow
def optional_launch(
    limit: Optional[int], tags: list[str], level: Level = Level.MEDIUM, name: str = "Nile"
) -> str:
    return wait_for_input("word", expected_type=str, suggested=name)


@workflow
def launch_finding(finding: Finding) -> str:
    return wait_for_input("word", expected_type=str, prompt="What of it?")
