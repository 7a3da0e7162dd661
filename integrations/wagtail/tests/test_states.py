"""Created, published, draft, taken off, revived, unchanged."""

from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError
from wagtail.models import Page, Revision
from wagtail.signals import page_published

from sluice_wagtail.models import PageRecord
from tests.conftest import desired
from tests.site.models import Area, District, OrganizationPage


def page(external_id="1"):
    record = PageRecord.objects.get(integration="organization", external_id=external_id)
    return OrganizationPage.objects.get(pk=record.page_id)


def revisions():
    return Revision.objects.page_revisions().count()


def everything():
    district = District.objects.first()
    first, second = Area.objects.all()[:2]
    return desired(
        fields={
            "phone": "123",
            "address": "1 Road",
            "founded": "1999-12-31",
            "checked_at": "2026-01-02T03:04:05.678901Z",
            "employees": 12,
            "rate": "12.50",
            "extra": {"id": 1, "tags": ["a", None]},
            "body": [{"type": "heading", "value": "Hello"}, {"type": "text", "value": "<p>Text</p>"}],
        },
        references={"district": str(district.pk)},
        sets={"areas": [str(first.pk), str(second.pk)], "area_links.area": [str(second.pk)]},
    )


def test_creates_and_publishes(sluice, client):
    result = sluice.one(everything())
    assert result["result"] == "created"
    assert result["error"] is None and result["waitsFor"] is None and result["drift"] is None
    made = page()
    assert result["pageId"] == str(made.pk)
    assert result["url"] == "http://site.test/organizations/organization-1/"
    assert result["urls"] == [result["url"]]
    assert result["changes"]["phone"] == {"before": None, "after": "123"}
    assert result["changes"]["slug"] == {"before": None, "after": "organization-1"}
    assert made.live and not made.has_unpublished_changes and made.latest_revision_id == made.live_revision_id
    assert (made.phone, str(made.founded), made.employees, str(made.rate)) == (
        "123",
        "1999-12-31",
        12,
        "12.50",
    )
    assert made.extra == {"id": 1, "tags": ["a", None]} and made.body[0].value == "Hello"
    assert made.district == District.objects.first()
    assert made.areas.count() == 2 and made.area_links.get().area.title == "Area 1"
    assert revisions() == 1
    assert b"<p>123</p>" in client.get("/organizations/organization-1/", headers={"host": "site.test"}).content


@pytest.mark.parametrize("state", ["published", "draft"])
def test_applying_twice_changes_nothing(sluice, state):
    wanted = everything() | {"state": state}
    sluice.one(wanted)
    before = (
        revisions(),
        Page.objects.get(pk=page().pk).__dict__ | {"_state": None},
        PageRecord.objects.get().updated_at,
    )
    again = sluice.one(wanted | {"key": "2.0.0", "sets": {n: v[::-1] for n, v in wanted["sets"].items()}})
    assert again["result"] == "unchanged" and again["changes"] is None and again["urls"] == []
    assert again["url"] == "http://site.test/organizations/organization-1/" and again["repeats"] is None
    after = (
        revisions(),
        Page.objects.get(pk=page().pk).__dict__ | {"_state": None},
        PageRecord.objects.get().updated_at,
    )
    assert after == before


def test_a_message_whose_answer_was_lost_gets_it_again(sluice):
    first = sluice.one(desired())
    again = sluice.one(desired())
    assert again["result"] == "unchanged" and again["repeats"] == first
    assert sluice.one(desired(key="1.0.1"))["repeats"] is None
    sluice.one(desired(key="2.0.0", title="Other"))
    assert sluice.one(desired(key="3.0.0", title="Other"))["repeats"] is None


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("fields", "phone", "456"),
        ("fields", "phone", None),
        ("fields", "founded", None),
        ("fields", "checked_at", "2026-01-02T03:04:06+00:00"),
        ("fields", "employees", 13),
        ("fields", "rate", "12.51"),
        ("fields", "extra", {"id": 2}),
        ("fields", "body", [{"type": "heading", "value": "Bye"}]),
        ("references", "district", None),
        ("sets", "areas", []),
        ("sets", "area_links.area", []),
    ],
)
def test_each_kind_of_field_is_compared_and_written(sluice, group, name, value):
    wanted = everything()
    sluice.one(wanted)
    changed = wanted | {group: wanted[group] | {name: value}}
    result = sluice.one(changed)
    assert result["result"] == "published" and list(result["changes"]) == [name]
    assert result["urls"] == [result["url"]]
    assert revisions() == 2
    assert sluice.one(changed)["result"] == "unchanged"


def test_same_value_written_otherwise_is_unchanged(sluice):
    sluice.one(everything())
    wanted = everything()
    wanted["fields"] |= {"rate": 12.5, "checked_at": "2026-01-02T06:04:05.678901+03:00", "employees": "12"}
    assert sluice.one(wanted)["result"] == "unchanged"


def test_rows_of_a_child_set_keep_what_an_editor_wrote(sluice):
    wanted = everything()
    sluice.one(wanted)
    link = page().area_links.get()
    link.note = "main office"
    link.save()
    ids = [str(area.pk) for area in Area.objects.all()[1:3]]
    sluice.one(wanted | {"sets": {"area_links.area": ids}})
    assert sorted((row.area.title, row.note) for row in page().area_links.all()) == [
        ("Area 1", "main office"),
        ("Area 2", ""),
    ]


def test_fields_that_are_not_sent_stay(sluice):
    sluice.one(everything())
    made = page()
    made.intro = "<p>By hand</p>"
    made.save_revision().publish()
    result = sluice.one(desired(title="New title", fields={}))
    assert result["changes"] == {"title": {"before": "Organization 1", "after": "New title"}}
    after = page()
    assert (after.title, after.draft_title, after.phone, after.intro) == (
        "New title",
        "New title",
        "123",
        "<p>By hand</p>",
    )
    assert after.areas.count() == 2


def test_slug_is_derived_once_then_kept(sluice):
    sluice.one(desired())
    sluice.one(desired(title="Renamed"))
    assert page().slug == "organization-1"
    assert sluice.one(desired("2", title="Organization 1"))["url"].endswith("/organization-1-2/")
    assert unquote(sluice.one(desired("3", title="Организация"))["url"]).endswith("/организация/")
    assert sluice.one(desired("4", title="!!!"))["url"].endswith("/organizations/4/")


def test_slug_that_is_sent_is_owned_and_changes_the_urls_below(sluice, django_capture_on_commit_callbacks):
    sluice.one(desired(slug="one"))
    sluice.one(desired("2", parent={"kind": "page", "integration": "organization", "externalId": "1"}))
    with django_capture_on_commit_callbacks(execute=True):
        result = sluice.one(desired(slug="uno"))
    assert result["result"] == "published"
    base = "http://site.test/organizations"
    assert result["urls"] == [
        f"{base}/one/",
        f"{base}/one/organization-2/",
        f"{base}/uno/",
        f"{base}/uno/organization-2/",
    ]
    assert result["url"] == f"{base}/uno/"
    assert page("2").url_path == "/home/organizations/uno/organization-2/"


def test_draft_never_touches_what_is_live(sluice):
    sluice.one(desired())
    live = page()
    result = sluice.one(desired(title="Draft", state="draft", fields={"phone": "9"}))
    assert result["result"] == "draft_saved" and result["urls"] == []
    now = page()
    assert now.live and now.has_unpublished_changes
    assert (now.title, now.phone, now.live_revision_id) == (live.title, "123", live.live_revision_id)
    assert (now.get_latest_revision_as_object().phone, now.draft_title) == ("9", "Draft")
    assert sluice.one(desired(title="Draft", state="draft", fields={"phone": "9"}))["result"] == "unchanged"
    assert revisions() == 2
    # Its own draft is no editor's: it doesn't stand in the way.
    assert sluice.one(desired(title="Live", fields={"phone": "10"}))["result"] == "published"
    assert not page().has_unpublished_changes


def test_draft_of_a_set_leaves_the_live_set(sluice):
    wanted = everything()
    sluice.one(wanted)
    sets = {"areas": [], "area_links.area": []}
    assert sluice.one(wanted | {"state": "draft", "sets": sets})["result"] == "draft_saved"
    assert page().areas.count() == 2 and page().area_links.count() == 1
    assert sluice.one(wanted | {"state": "draft", "sets": sets})["result"] == "unchanged"
    assert sluice.one(wanted | {"sets": sets})["result"] == "published"
    assert page().areas.count() == 0 and page().area_links.count() == 0


def test_new_draft_is_published_later(sluice):
    first = sluice.one(desired(state="draft"))
    assert first["result"] == "created" and first["urls"] == [] and not page().live
    assert sluice.one(desired(state="draft", fields={"phone": "2"}))["result"] == "draft_saved"
    result = sluice.one(desired(fields={"phone": "2"}))
    assert result["result"] == "published"
    assert result["changes"] == {
        "phone": {"before": "123", "after": "2"},
        "live": {"before": False, "after": True},
    }
    assert page().live and page().phone == "2"


def test_taken_off_keeps_data_and_children_and_is_revived(sluice):
    sluice.one(desired())
    sluice.one(desired("2", parent={"kind": "page", "integration": "organization", "externalId": "1"}))
    count = revisions()
    # A deletion carries no more than the key.
    gone = desired(title="", fields={}, state="unpublished", parent=None)
    nowhere = {"kind": "place", "place": "no such place"}
    result = sluice.one(gone)
    assert result["result"] == "unpublished" and result["changes"] == {"live": {"before": True, "after": False}}
    assert result["urls"] == ["http://site.test/organizations/organization-1/"]
    off = page()
    assert not off.live and off.phone == "123" and revisions() == count
    assert page("2").live
    assert sluice.one(gone | {"key": "9.0.0", "parent": nowhere})["result"] == "unchanged"
    revived = sluice.one(desired())
    assert revived["result"] == "published" and revived["changes"] == {"live": {"before": False, "after": True}}
    assert revived["drift"] is None and page().live


def test_taking_off_what_never_came_leaves_nothing(sluice):
    result = sluice.one(desired(state="unpublished"))
    assert (result["result"], result["pageId"]) == ("unchanged", None)
    assert not PageRecord.objects.exists()


def test_older_versions_are_superseded_drafts_apart(sluice):
    assert sluice.one(desired(version="005"))["result"] == "created"
    older = sluice.one(desired(version="004", title="Old"))
    assert older["result"] == "superseded" and page().title == "Organization 1"
    assert sluice.one(desired(version="004", title="Draft", state="draft"))["result"] == "draft_saved"
    assert sluice.one(desired(version="003", title="Older", state="draft"))["result"] == "superseded"
    # Unchanged, but seen: what lies between is too old from now on.
    assert sluice.one(desired(version="007"))["result"] == "unchanged"
    assert sluice.one(desired(version="006", title="Old"))["result"] == "superseded"
    assert sluice.one(desired("2", version="5", state="unpublished"))["result"] == "unchanged"
    assert sluice.one(desired("2", version="4"))["result"] == "superseded"


def test_own_revisions_are_no_editors_draft_after_an_editor_takes_the_page_off_and_on(sluice):
    sluice.one(desired())
    made = page()
    made.intro = "x"
    made.save_revision().publish()
    made = page()
    made.unpublish()
    result = sluice.one(desired(fields={"phone": "7"}), drift="undo")
    assert result["result"] == "published" and result["drift"] == ["an editor took the page off"]


def test_site_checks_are_told_with_paths(sluice):
    result = sluice.one(desired(title="", fields={"phone": "0"}))
    assert result["result"] == "invalid" and result["error"]["code"] == "page_invalid"
    assert {"path": "/title", "message": "This field cannot be blank."} in result["error"]["fields"]
    assert not OrganizationPage.objects.exists() and not PageRecord.objects.exists()
    result = sluice.one(desired(fields={"phone": "0"}))
    assert result["error"]["fields"] == [{"path": "/fields/phone", "message": "0 is no phone number"}]
    sluice.one(desired())
    assert sluice.one(desired(fields={"phone": "x" * 31}))["error"]["fields"][0]["path"] == "/fields/phone"
    assert page().phone == "123"
    with pytest.raises(ValidationError):
        OrganizationPage(phone="0", title="x", slug="x").clean()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"integration": "other"}, "/integration"),
        ({"type": "site.IndexPage"}, "/type"),
        ({"fields": {"intro": "x"}}, "/fields/intro"),
        ({"fields": {"owner": "1"}}, "/fields/owner"),
        ({"references": {"owner": "1"}}, "/references/owner"),
        ({"sets": {"tags": []}}, "/sets/tags"),
        ({"parent": {"kind": "place", "place": "x"}}, "/parent/place"),
        ({"parent": {"kind": "place", "place": "nowhere"}}, "/parent/place"),
        ({"fields": {"founded": "tomorrow"}}, "/fields/founded"),
        ({"fields": {"employees": {"a": 1}}}, "/fields/employees"),
        ({"fields": {"body": 5}}, "/fields/body"),
        ({"fields": {"phone": "\u0000"}}, "/fields/phone"),
        ({"state": "gone"}, "/state"),
        ({"parent": None}, "/parent"),
        ({"key": ""}, "/key"),
        ({"surprise": 1}, "/surprise"),
        ({"sets": {"areas": "1"}}, "/sets/areas"),
        ({"slug": "not a slug"}, "/slug"),
    ],
)
def test_what_the_site_does_not_allow_is_invalid(sluice, change, path):
    result = sluice.one(desired(**change))
    assert result["result"] == "invalid" and result["error"]["code"] == "page_invalid", result
    assert result["error"]["fields"][0]["path"] == path
    assert not OrganizationPage.objects.exists()


@pytest.mark.parametrize(
    "change", [{"references": {"district": "99"}}, {"sets": {"areas": ["99"]}}, {"sets": {"areas": ["x"]}}]
)
def test_a_target_that_is_not_there(sluice, change):
    result = sluice.one(desired(**change))
    assert result["result"] == "invalid" and result["error"]["code"] == "missing_reference"
    ((group, names),) = change.items()
    assert result["error"]["fields"][0]["path"] == f"/{group}/{next(iter(names))}"


def test_targets_named_by_a_field_of_their_own(sluice):
    wanted = desired(
        integration="keyed",
        fields={},
        references={"district": "S"},
        sets={"areas": ["102", "100"], "area_links.area": ["103"]},
    )
    assert sluice.one(wanted)["result"] == "created"
    made = OrganizationPage.objects.get()
    assert made.district.code == "S" and made.area_links.get().area.code == 103
    assert sorted(area.code for area in made.areas.all()) == [100, 102]
    assert sluice.one(wanted)["result"] == "unchanged"
    result = sluice.one(wanted | {"references": {"district": "W"}, "sets": {"areas": ["100", "7", "x"]}})
    assert result["error"]["code"] == "missing_reference"
    assert [entry["path"] for entry in result["error"]["fields"]] == [
        "/references/district",
        "/sets/areas",
        "/sets/areas",
    ]


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"extra": nested(500)}},
        {"fields": {"employees": 10**30}},
        {"fields": {"employees": "1e400"}},
        {"fields": {"rate": "NaN"}},
        {"references": {"district": "9" * 30}},
        {"sets": {"areas": ["9" * 30]}},
        {"sets": {"area_links.area": ["-1"]}},
    ],
)
def test_extreme_values_harm_one_page(sluice, existing, change):
    if existing:
        sluice.one(desired())
    bad, good = sluice.batch(desired(**change), desired("2"))
    assert (bad["result"], good["result"]) == ("invalid", "created")


@pytest.mark.django_db(transaction=True)
def test_a_target_that_goes_in_the_middle_of_a_batch_is_told_as_missing(sluice):
    north, south = District.objects.order_by("pk")
    sluice.batch(*(desired(number, references={"district": str(south.pk)}) for number in "12"))

    def clear(sender, **_):
        District.objects.filter(pk=north.pk).delete()

    page_published.connect(clear)
    try:
        results = sluice.batch(
            desired("1", fields={"phone": "9"}, references={"district": str(south.pk)}),
            desired("2", references={"district": str(north.pk)}),
        )
    finally:
        page_published.disconnect(clear)
    assert [result["result"] for result in results] == ["published", "invalid"]
    assert results[1]["error"]["code"] == "missing_reference"
    assert page("2").district_id == south.pk
