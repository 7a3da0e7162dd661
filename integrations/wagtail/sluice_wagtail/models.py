"""What the site remembers of the pages that it was sent."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

# Wagtail 8 lets a site bring its own page model.
PAGE_MODEL: str = getattr(settings, "WAGTAIL_PAGE_MODEL", "wagtailcore.Page")


class PageRecord(models.Model):
    """Which page stands for which object of the master system, and what was applied to it last.

    An editor who deletes the page leaves the record, with ``page`` empty and ``state`` as it was.
    """

    integration = models.CharField(max_length=100)
    external_id = models.CharField(max_length=500)
    page: Any = models.OneToOneField(PAGE_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    #: The state that was asked for last; empty as long as there never was a page. A draft doesn't change what was
    #: asked for the live page, so ``draft`` stands here only until the page is published or taken off.
    state = models.CharField(max_length=20, default="", blank=True)
    #: The id of the parent under which the page was last put: a page elsewhere was moved by an editor.
    parent_id = models.CharField(max_length=64, default="", blank=True)
    #: The newest revision that holds nothing but this integration's and published text: a newer one is an editor's.
    revision_id = models.BigIntegerField(null=True)
    #: SHA-256 of what was desired last; see ``DesiredPage.hash``.
    hash = models.CharField(max_length=64, default="", blank=True)
    #: The message that changed the page last.
    key = models.CharField(max_length=200, default="", blank=True)
    #: The answer to that message, for one that comes again because its answer was lost.
    result = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    #: Versions of the live page and of the draft are kept apart.
    live_version = models.CharField(max_length=200, default="", blank=True)
    draft_version = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Else every page would count as in use, and deleting it would ask for confirmation.
    wagtail_reference_index_ignore = True

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["integration", "external_id"], name="sluice_wagtail_key")
        ]

    def __str__(self) -> str:
        return f"{self.integration} {self.external_id}"
