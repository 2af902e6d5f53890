"""Graphs that are made when they run: a loop over real inputs, and a recursion through a workflow."""

from typing import Tuple

from tidegate import conditional, dynamic, task, workflow


@task
def place_of(letter: str) -> int:
    return ord(letter.lower()) - ord("a")


@task
def mark(tally: list[int], place: int) -> list[int]:
    tally[place] += 1
    return tally


@task
def shared(tally1: list[int], tally2: list[int]) -> int:
    return sum(min(a, b) for a, b in zip(tally1, tally2))


@dynamic
def count_shared(s1: str, s2: str) -> int:
    tally1 = [0] * 26
    tally2 = [0] * 26

    for i in range(len(s1)):
        index = place_of(letter=s1[i])
        tally1 = mark(tally=tally1, place=index)

    for i in range(len(s2)):
        index = place_of(letter=s2[i])
        tally2 = mark(tally=tally2, place=index)

    return shared(tally1=tally1, tally2=tally2)


@workflow
def dynamic_wf(s1: str, s2: str) -> int:
    return count_shared(s1=s1, s2=s2)


@task
def halve(numbers: list[int]) -> Tuple[list[int], list[int], int, int]:
    middle = int(len(numbers) / 2)
    return (
        numbers[0:middle],
        numbers[middle:],
        middle,
        len(numbers) - middle,
    )


@task
def join(left: list[int], right: list[int]) -> list[int]:
    result = []
    while len(left) > 0 and len(right) > 0:
        result.append(left.pop(0) if left[0] < right[0] else right.pop(0))
    return result + left + right


@task
def sort_here(numbers: list[int]) -> list[int]:
    return sorted(numbers)


@dynamic
def sort_elsewhere(numbers: list[int], small: int) -> list[int]:
    half1, half2, count1, count2 = halve(numbers=numbers)
    sorted1 = merge_sort(numbers=half1, count=count1, small=small)
    sorted2 = merge_sort(numbers=half2, count=count2, small=small)
    return join(left=sorted1, right=sorted2)


@workflow
def merge_sort(numbers: list[int], count: int, small: int = 5) -> list[int]:
    return (
        conditional("terminal_case")
        .if_(count <= small)
        .then(sort_here(numbers=numbers))
        .else_()
        .then(sort_elsewhere(numbers=numbers, small=small))
    )
