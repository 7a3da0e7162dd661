"""The order within a batch: parents before children."""

from __future__ import annotations

from collections.abc import Sequence

from .wire import DesiredPage, Key


def by_level(pages: Sequence[DesiredPage]) -> tuple[list[int], set[int]]:
    """The indexes of the pages, level by level, and beside them those whose parents go round in a circle.

    An object that comes more than once keeps its order. Pages to be taken off need no parent, so they are first.
    """
    parents: dict[Key, Key] = {}
    for page in pages:
        if page.state != "unpublished" and isinstance(page.parent, Key):
            parents[page.key] = page.parent
    depth: dict[Key, int] = {}
    circle: set[Key] = set()
    for start in parents:
        trail: list[Key] = []
        seen: dict[Key, int] = {}
        key = start
        while key in parents and key not in depth and key not in seen:
            seen[key] = len(trail)
            trail.append(key)
            key = parents[key]
        if key in seen:
            circle.update(trail[seen[key] :])
        for step in reversed(trail):
            depth[step] = depth.get(parents[step], 0) + 1
    cyclic = {index for index, page in enumerate(pages) if page.key in circle and page.state != "unpublished"}
    order = [index for index in range(len(pages)) if index not in cyclic]
    return sorted(order, key=lambda index: depth.get(pages[index].key, 0)), cyclic
