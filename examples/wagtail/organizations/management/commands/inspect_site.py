"""`manage.py inspect_site`: what Wagtail itself says of the pages, as JSON."""

import json
from io import StringIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db.models import Count
from django.test import Client
from django.utils.html import escape
from sluice_wagtail.models import PageRecord
from wagtail.models import Page, PageLogEntry, ReferenceIndex, Revision

from organizations.models import OrganizationPage


class Command(BaseCommand):
    """See above."""

    help = __doc__

    def handle(self, **_: Any) -> None:
        """Called by Django."""
        pages = OrganizationPage.objects.order_by("path")
        sample = pages.filter(live=True).first()
        report = {
            "fixtree": fixtree(),
            "wrongUrlPaths": wrong_url_paths(),
            "pages": pages.count(),
            "live": pages.filter(live=True).count(),
            "withDraft": pages.filter(live=True, has_unpublished_changes=True).count(),
            "revisions": Revision.objects.page_revisions().count(),
            "records": PageRecord.objects.exclude(page=None).count(),
            "slugsTwice": slugs_twice(),
            "results": results(),
            "searchMisses": search_misses(pages.filter(live=True)),
            "referencesWrong": references_wrong(),
            "admin": None if sample is None else admin(sample),
        }
        self.stdout.write(json.dumps(report, indent=2))


def fixtree() -> list[str]:
    """The lines of Wagtail's fixtree that tell a problem."""
    out = StringIO()
    call_command("fixtree", interactive=False, stdout=out)
    fine = ("Checking ", "No problems found.")
    return [line for line in out.getvalue().splitlines() if line and not line.startswith(fine)]


def wrong_url_paths() -> list[str]:
    """Pages whose URL isn't the one of their place in the tree; fixtree doesn't look at that."""
    pages = {page.path: page for page in Page.objects.all()}
    return [
        page.url_path
        for page in pages.values()
        if page.depth > 1 and page.url_path != f"{pages[page.path[: -page.steplen]].url_path}{page.slug}/"
    ]


def slugs_twice() -> int:
    """URLs that more than one page has."""
    return Page.objects.values("url_path").annotate(pages=Count("pk")).filter(pages__gt=1).count()


def results() -> dict[str, int]:
    """How often the history says that an integration did what."""
    counts: dict[str, int] = {}
    for data in PageLogEntry.objects.filter(action="sluice_wagtail.apply").values_list("data", flat=True):
        counts[data["result"]] = counts.get(data["result"], 0) + 1
    return counts


def search_misses(pages: Any) -> list[str]:
    """Live pages that a search for their title doesn't find."""
    return [
        page.title for page in pages if page not in list(OrganizationPage.objects.search(page.title, operator="and"))
    ]


def references_wrong() -> int:
    """Entries of the reference index that rebuilding it adds or removes."""

    def entries() -> set[Any]:
        return set(ReferenceIndex.objects.values_list("content_type", "object_id", "content_path_hash", "to_object_id"))

    before = entries()
    call_command("rebuild_references_index", stdout=StringIO())
    return len(before ^ entries())


def admin(page: OrganizationPage) -> dict[str, Any]:
    """What an editor sees of a page: does its edit view open, and what does its history say first."""
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(get_user_model().objects.get(username="editor"))
    edit = client.get(f"/admin/pages/{page.pk}/edit/")
    form = edit.content.decode()
    history = client.get(f"/admin/pages/{page.pk}/history/").content.decode()
    return {
        "page": page.title,
        "editView": edit.status_code,
        "phoneInEditView": f'value="{escape(page.phone)}"' in form,
        "historyNamesIntegration": "Integration “organization”" in history,
        "live": client.get(page.get_url()).status_code,
    }
