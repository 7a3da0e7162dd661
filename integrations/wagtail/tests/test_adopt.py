"""Pages that were there before the integration."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from wagtail.models import Page, Revision

from tests.conftest import desired
from tests.site.models import OrganizationPage


@pytest.fixture
def by_hand(site):
    page = OrganizationPage(title="By hand", slug="by-hand", intro="<p>Hello</p>", phone="1")
    Page.objects.get(slug="organizations").add_child(instance=page)
    page.save_revision().publish()
    return page


def adopt(*arguments):
    call_command("sluice_adopt", *map(str, arguments), stdout=StringIO())


def test_an_adopted_page_is_taken_on(sluice, by_hand):
    adopt("organization", "1", by_hand.pk)
    assert Revision.objects.count() == 1
    result = sluice.one(desired())
    assert result["result"] == "published" and result["pageId"] == str(by_hand.pk) and result["drift"] is None
    page = OrganizationPage.objects.get()
    assert (page.title, page.slug, page.phone, page.intro) == ("Organization 1", "by-hand", "123", "<p>Hello</p>")
    assert sluice.one(desired())["result"] == "unchanged"


def test_a_draft_on_an_adopted_page_is_the_editors(sluice, by_hand):
    by_hand.intro = "<p>Draft</p>"
    by_hand.save_revision()
    adopt("organization", "1", by_hand.pk)
    assert sluice.one(desired())["error"]["code"] == "editor_draft"


def test_what_can_not_be_adopted(sluice, by_hand):
    for arguments, words in (
        (("other", "1", by_hand.pk), "no integration"),
        (("organization", "1", "x"), "no id"),
        (("organization", "1", 999), "no page 999"),
        (("organization", "1", Page.objects.get(slug="archive").pk), "don't let 'organization' write site.IndexPage"),
    ):
        with pytest.raises(CommandError, match=words):
            adopt(*arguments)
    sluice.one(desired("2"))
    taken = OrganizationPage.objects.exclude(pk=by_hand.pk).get()
    with pytest.raises(CommandError, match="stands for organization 2 already"):
        adopt("organization", "1", taken.pk)
    with pytest.raises(CommandError, match="organization 2 has the page"):
        adopt("organization", "2", by_hand.pk)
