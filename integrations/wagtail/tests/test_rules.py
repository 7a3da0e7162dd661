"""What Wagtail and its own apps bring along: rules of types, slugs, languages, aliases, redirects, private pages."""

from datetime import timedelta

import pytest
import wagtail
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, PageViewRestriction, ReferenceIndex

from tests.conftest import desired, under
from tests.site.models import District, OrganizationPage

ARCHIVE = {"kind": "place", "place": "archive"}


def now():
    return OrganizationPage.objects.get(alias_of=None)


def refusal(result):
    assert result["result"] == "invalid", result
    return result["error"]["fields"][0]["path"], result["error"]["message"]


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Больница № 1", "больница-no-1"),
        ("東京都庁", "東京都庁"),
        ("🎉🎉", "1"),
        ("  --  ", "1"),
        ("ﬁ ½ Ⅷ", "fi-12-viii"),
        ("x" * 255, "x" * 240),
    ],
)
def test_slugs_of_all_kinds_of_titles(sluice, title, slug):
    assert sluice.one(desired(title=title))["result"] == "created"
    assert now().slug == slug
    assert sluice.one(desired(title=title))["result"] == "unchanged"
    # The second of the name: a number after it, or its own external ID where the title makes no slug.
    assert sluice.one(desired("2", title=title))["result"] == "created"
    assert OrganizationPage.objects.filter(slug="2" if slug == "1" else f"{slug}-2").exists()


def test_slugs_where_the_site_allows_no_unicode(sluice, settings):
    settings.WAGTAIL_ALLOW_UNICODE_SLUGS = False
    sluice.one(desired("17", title="Больница"))
    assert now().slug == "17"


@pytest.mark.parametrize("slug", ["", "x" * 256, "two words", "a/b", "a?b"])
def test_slugs_that_are_none(sluice, slug):
    assert refusal(sluice.one(desired(slug=slug)))[0] == "/slug"
    assert not OrganizationPage.objects.exists()


def test_titles_that_do_not_fit(sluice):
    for title in ("", "x" * 256):
        assert refusal(sluice.one(desired(title=title)))[0] == "/title"


def test_counts_that_a_type_allows(sluice, monkeypatch):
    sluice.one(desired("1"))
    monkeypatch.setattr(OrganizationPage, "max_count", 1)
    path, message = refusal(sluice.one(desired("2")))
    assert path == "/parent" and "max_count" in message and "already" in message
    assert sluice.one(desired("1", title="New"))["result"] == "published"
    monkeypatch.setattr(OrganizationPage, "max_count", None)
    monkeypatch.setattr(OrganizationPage, "max_count_per_parent", 1)
    path, message = refusal(sluice.one(desired("2")))
    assert path == "/parent" and "max_count_per_parent is 1" in message
    assert sluice.one(desired("2", parent=ARCHIVE))["result"] == "created"
    if wagtail.VERSION[0] >= 8:
        # Older ones check it for new pages only.
        path, message = refusal(sluice.one(desired("2")))
        assert path == "/parent" and "max_count_per_parent is 1" in message


def test_a_type_that_nobody_may_make(sluice, monkeypatch):
    monkeypatch.setattr(OrganizationPage, "is_creatable", False)
    assert "is_creatable" in refusal(sluice.one(desired()))[1]


def test_a_section_in_another_language(sluice, settings):
    french = Locale.objects.create(language_code="fr")
    home = Page.objects.get(slug="home").copy_for_translation(french)
    section = Page.objects.get(slug="organizations").specific.copy_for_translation(french)
    assert section.get_parent() == home
    settings.SLUICE_WAGTAIL = settings.SLUICE_WAGTAIL | {
        "PLACES": settings.SLUICE_WAGTAIL["PLACES"] | {"french": section.pk}
    }
    elsewhere = {"kind": "place", "place": "french"}
    sluice.one(desired("1"))
    assert sluice.one(desired("2", parent=elsewhere))["result"] == "created"
    assert OrganizationPage.objects.get(title="Organization 2").locale == french
    # Wagtail moves nothing from one language to another.
    path, message = refusal(sluice.one(desired("1", parent=elsewhere)))
    assert path == "/parent" and "language" in message


def test_aliases_follow_and_are_told(sluice):
    sluice.one(desired())
    french = Locale.objects.create(language_code="fr")
    translation = now().copy_for_translation(french, copy_parents=True, alias=True)
    alias = now().create_alias(parent=Page.objects.get(slug="archive"))
    alias_of_alias = alias.create_alias(parent=alias, update_slug="again")
    urls = {page.get_full_url() for page in (now(), translation, alias, alias_of_alias)} - {None}
    assert len(urls) >= 3
    result = sluice.one(desired(title="New"))
    assert result["result"] == "published" and set(result["urls"]) == urls
    for page in (translation, alias, alias_of_alias):
        page.refresh_from_db()
        assert page.title == "New"
    result = sluice.one(desired(state="unpublished"))
    assert result["result"] == "unpublished" and set(result["urls"]) == urls
    assert not OrganizationPage.objects.filter(live=True).exists()
    result = sluice.one(desired(title="New"))
    assert result["result"] == "published" and set(result["urls"]) == urls
    assert sluice.one(desired(title="New"))["result"] == "unchanged"


def test_redirects_from_old_addresses(sluice, django_capture_on_commit_callbacks):
    sluice.batch(desired("1"), desired("2", parent=under("1")))
    with django_capture_on_commit_callbacks(execute=True):
        assert sluice.one(desired("1", slug="renamed"))["result"] == "published"
    assert set(Redirect.objects.values_list("old_path", flat=True)) == {
        "/organizations/organization-1",
        "/organizations/organization-1/organization-2",
    }
    with django_capture_on_commit_callbacks(execute=True):
        assert sluice.one(desired("1", slug="again", parent=ARCHIVE))["result"] == "published"
    found = dict(Redirect.objects.values_list("old_path", "redirect_page__url_path"))
    assert found["/organizations/organization-1"] == found["/organizations/renamed"] == "/home/archive/again/"
    assert found["/organizations/renamed/organization-2"] == "/home/archive/again/organization-2/"


def test_private_pages_stay_private(sluice):
    sluice.one(desired())
    PageViewRestriction.objects.create(page=now(), restriction_type=PageViewRestriction.LOGIN)
    sluice.one(desired(title="New"))
    sluice.one(desired(title="New", parent=ARCHIVE))
    sluice.one(desired("2", parent=under("1")))
    private = {page.title for page in OrganizationPage.objects.all() if page.get_view_restrictions()}
    assert private == {"New", "Organization 2"}


def test_an_expiry_date_of_an_editor_stays(sluice):
    sluice.one(desired())
    page, at = now(), timezone.now().replace(microsecond=0) + timedelta(days=3)
    page.expire_at = at
    page.save_revision().publish()
    assert sluice.one(desired(title="New"))["result"] == "published"
    assert (now().expire_at, now().get_latest_revision_as_object().expire_at, now().live) == (at, at, True)


def test_the_index_of_references_follows(sluice):
    for district in (*District.objects.all(), None):
        references = {"district": None if district is None else str(district.pk)}
        sluice.one(desired(references=references))
        found = ReferenceIndex.objects.filter(object_id=now().pk, model_path="district").values_list("to_object_id")
        assert list(found) == ([] if district is None else [(str(district.pk),)])
