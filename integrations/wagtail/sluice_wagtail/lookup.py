"""What stands for objects of the master system."""

from __future__ import annotations

from typing import Any

from . import tree
from .apply import records_of
from .decide import Standing
from .wire import Key


def lookup(keys: list[Key]) -> list[dict[str, Any] | None]:
    """One entry per key, in order; null for an object that never had a page here."""
    records = records_of(set(keys))
    ids = [record.page_id for record in records.values() if record.page_id is not None]
    pages = {page.pk: page for page in tree.page_model().objects.filter(pk__in=ids).specific()}
    parents = tree.parent_ids(pages.values())
    found: list[dict[str, Any] | None] = []
    for key in keys:
        record = records.get(key)
        if record is None or record.state == "":
            found.append(None)
            continue
        page = pages.get(record.page_id)
        standing = None if page is None else Standing(page, parents[page.pk], record)
        found.append(
            {
                **key.to_json(),
                "pageId": None if page is None else str(page.pk),
                "url": None if page is None else page.get_full_url(),
                "type": None if page is None else page._meta.label,
                "parentId": None if standing is None else str(standing.parent_id),
                "live": page is not None and page.live,
                "editorDraft": standing is not None and standing.with_editors,
                "state": record.state,
                "hash": record.hash,
                "key": record.key,
            }
        )
    return found
