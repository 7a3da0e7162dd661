"""The page tree: parents, locks, slugs and URLs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.text import slugify

from .models import PAGE_MODEL

#: Longer slugs don't fit the column once a number is added.
SLUG_LENGTH = 240


def page_model() -> Any:
    """Wagtail's page model, or the one that the site put in its place."""
    return apps.get_model(PAGE_MODEL)


def parent_ids(pages: Iterable[Any]) -> dict[Any, Any]:
    """Page id to the id of its parent, in one query."""
    paths = {page.pk: page.path[: -page.steplen] for page in pages}
    found = dict(page_model().objects.filter(path__in=set(paths.values())).values_list("path", "pk"))
    return {key: found.get(path) for key, path in paths.items()}


def parent_id(page: Any) -> Any:
    """The id of the page's parent."""
    return parent_ids([page])[page.pk]


def locked(ids: Iterable[Any]) -> dict[Any, Any]:
    """Locks these pages until the transaction ends, in the order of their ids, and returns them as they are now.

    Everyone who adds, changes or moves a page here locks it and its parent first: two who add a child to one
    parent without it both take the same place in the tree.
    """
    pages = page_model().objects.select_for_update().filter(pk__in=set(ids)).order_by("pk")
    return {page.pk: page for page in pages}


def lock_subtree(page: Any) -> Any:
    """Locks all that stands below a page, before its path or URL changes, and returns the page as it is now.

    Someone may add a page below while this waits for the lock, so it looks again until there is nothing new.
    """
    seen: set[Any] = set()
    while True:
        ids = set(page_model().objects.filter(path__startswith=page.path).values_list("pk", flat=True))
        if ids <= seen:
            return page
        page = locked(ids)[page.pk]
        seen |= ids


def lock_family(page_id: Any, wanted_parent_id: Any) -> tuple[Any, Any, Any]:
    """Locks a page, its parent and the parent it shall have; each may be None.

    Returns the page, the id of its parent, and the wanted parent. A page or wanted parent that is gone is None.
    """
    ids = {page_id, wanted_parent_id} - {None}
    while True:
        rows = locked(ids)
        page, wanted = rows.get(page_id), rows.get(wanted_parent_id)
        if page is None:
            current = None
        elif wanted is not None and wanted.path == page.path[: -page.steplen]:
            current = wanted.pk
        else:
            current = parent_id(page)
        if current is None or current in rows:
            return page, current, wanted
        ids.add(current)


def is_below(page: Any, ancestor: Any) -> bool:
    """Whether a page is the other one or stands under it."""
    return bool(page.path.startswith(ancestor.path))


def with_slug(parent: Any, slug: str, but: Any = None) -> Any:
    """The child of this parent that has the slug, other than the page ``but``, or None."""
    children = parent.get_children().filter(slug=slug)
    return (children if but is None else children.exclude(pk=but)).first()


def free_slug(parent: Any, title: str, external_id: str) -> str:
    """A slug made of the title as Wagtail's editor makes it, with a number if it is taken."""
    unicode = getattr(settings, "WAGTAIL_ALLOW_UNICODE_SLUGS", True)
    base = slugify(title, allow_unicode=unicode) or slugify(external_id, allow_unicode=unicode) or "page"
    base = base[:SLUG_LENGTH]
    taken = set(parent.get_children().filter(slug__startswith=base).values_list("slug", flat=True))
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug


def live_urls(page: Any) -> list[str]:
    """The URLs of all live pages from this one downwards."""
    found = page_model().objects.filter(path__startswith=page.path, live=True).order_by("path")
    return [url for url in (each.specific_deferred.get_full_url() for each in found) if url]


def alias_urls(page: Any) -> list[str]:
    """The URLs of the live aliases of this page, translations in waiting among them, and of the aliases of those."""
    found: list[Any] = []
    following = {page.pk}
    while following:
        known = {page.pk, *(alias.pk for alias in found)}
        aliases = page_model().objects.filter(alias_of__in=following).exclude(pk__in=known).order_by("path")
        found.extend(aliases)
        following = {alias.pk for alias in aliases}
    return [url for url in (alias.specific_deferred.get_full_url() for alias in found if alias.live) if url]


def has_live_below(page: Any) -> bool:
    """Whether any page under this one is live."""
    below: models.QuerySet[Any] = page_model().objects.filter(
        path__startswith=page.path, depth__gt=page.depth, live=True
    )
    return below.exists()
