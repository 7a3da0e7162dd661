"""Parents, moves, cycles, slugs that are taken."""

import pytest
from wagtail.models import Page
from wagtail.signals import post_page_move, pre_page_move

from tests.conftest import desired, under
from tests.site.models import IndexPage, OrganizationPage


def by_title(number):
    return OrganizationPage.objects.get(title=f"Organization {number}")


def test_parents_before_children_whatever_the_order(sluice):
    results = sluice.batch(
        desired("4", parent=under("3")),
        desired("3", parent=under("2")),
        desired("2", parent=under("1")),
        desired("1"),
    )
    assert [result["result"] for result in results] == ["created"] * 4
    assert results[0]["url"] == (
        "http://site.test/organizations/organization-1/organization-2/organization-3/organization-4/"
    )


def test_missing_parent_waits(sluice):
    results = sluice.batch(desired("2", parent=under("1")), desired("3", parent=under("2")))
    assert [result["result"] for result in results] == ["waiting", "waiting"]
    assert results[0]["waitsFor"] == [{"integration": "organization", "externalId": "1"}]
    assert results[0]["error"]["code"] == "missing_reference"
    assert not OrganizationPage.objects.exists()
    sluice.one(desired("1"))
    assert sluice.one(desired("2", parent=under("1")))["result"] == "created"
    by_title(2).delete()
    assert sluice.one(desired("3", parent=under("2")))["result"] == "waiting"


def test_a_bad_parent_harms_only_what_is_below(sluice):
    results = sluice.batch(
        desired("1", fields={"phone": "0"}), desired("2", parent=under("1")), desired("3"), {"externalId": 5}
    )
    assert [result["result"] for result in results] == ["invalid", "waiting", "created", "invalid"]
    assert results[3]["error"]["fields"] == [{"path": "/integration", "message": "must be a text"}]


def test_the_same_object_twice_is_twice_in_a_row(sluice):
    sluice.one(desired(title="B"))
    results = sluice.batch(desired(title="A"), desired(title="B"), desired("2", parent=under("1")), desired(title="B"))
    assert [result["result"] for result in results] == ["published", "published", "created", "unchanged"]


@pytest.mark.parametrize("existing", [False, True])
def test_cycle_within_a_batch(sluice, existing):
    if existing:
        sluice.batch(*(desired(number) for number in "1234"))
    results = sluice.batch(
        desired("1", parent=under("2")),
        desired("2", parent=under("3")),
        desired("3", parent=under("1")),
        desired("4", parent=under("3"), title="Below"),
    )
    assert [result["result"] for result in results] == ["conflict"] * 3 + ["published" if existing else "waiting"]
    assert {result["error"]["code"] for result in results[:3]} == {"parent_cycle"}


def test_cycle_with_the_tree_and_with_itself(sluice):
    sluice.batch(desired("1"), desired("2", parent=under("1")), desired("3", parent=under("2")))
    result = sluice.one(desired("1", parent=under("3")))
    assert result["result"] == "conflict" and result["error"]["code"] == "parent_cycle"
    assert sluice.one(desired("1", parent=under("1")))["error"]["code"] == "parent_cycle"
    assert by_title(1).get_parent().slug == "organizations"


def test_turning_a_branch_over(sluice):
    sluice.batch(desired("1"), desired("2", parent=under("1")))
    results = sluice.batch(desired("1", parent=under("2")), desired("2"))
    assert [result["result"] for result in results] == ["moved", "moved"]
    assert by_title(1).url_path == "/home/organizations/organization-2/organization-1/"


def test_move_tells_old_and_new_urls_and_sends_signals(sluice):
    sluice.batch(
        desired("1"),
        desired("2"),
        desired("3", parent=under("1")),
        desired("4", parent=under("3"), state="draft"),
    )
    seen = []

    def note(**kwargs):
        seen.append((kwargs["url_path_before"], kwargs["url_path_after"]))

    for signal in (pre_page_move, post_page_move):
        signal.connect(note)
    try:
        result = sluice.one(desired("1", parent=under("2")))
    finally:
        for signal in (pre_page_move, post_page_move):
            signal.disconnect(note)
    assert seen == [("/home/organizations/organization-1/", "/home/organizations/organization-2/organization-1/")] * 2
    assert result["result"] == "moved"
    base = "http://site.test/organizations"
    assert result["urls"] == [
        f"{base}/organization-1/",
        f"{base}/organization-1/organization-3/",
        f"{base}/organization-2/organization-1/",
        f"{base}/organization-2/organization-1/organization-3/",
    ]
    assert result["changes"] == {
        "parent": {"before": str(Page.objects.get(slug="organizations").pk), "after": str(by_title(2).pk)}
    }
    assert by_title(4).url_path == "/home/organizations/organization-2/organization-1/organization-3/organization-4/"
    assert sluice.one(desired("1", parent=under("2")))["result"] == "unchanged"


def test_move_and_change_at_once(sluice):
    sluice.batch(desired("1"), desired("2"))
    result = sluice.one(desired("1", parent=under("2"), fields={"phone": "9"}, slug="one"))
    assert result["result"] == "published" and set(result["changes"]) == {"phone", "slug", "parent"}
    page = by_title(1)
    assert (page.phone, page.url_path) == ("9", "/home/organizations/organization-2/one/")
    assert result["url"] == "http://site.test/organizations/organization-2/one/"
    latest = page.get_latest_revision()
    assert latest.as_object().url_path == page.url_path and not page.has_unpublished_changes


def test_draft_does_not_move_what_is_live(sluice):
    sluice.batch(desired("1"), desired("2"), desired("3", state="draft"))
    elsewhere = {"state": "draft", "parent": under("2")}
    assert sluice.one(desired("1", **elsewhere))["result"] == "unchanged"
    assert sluice.one(desired("3", **elsewhere))["result"] == "moved"
    # The live message moves it: that it didn't move as a draft was no editor's doing.
    result = sluice.one(desired("1", parent=under("2")))
    assert (result["result"], result["drift"]) == ("moved", None)
    sluice.batch(desired("5", state="draft"), desired("6", parent=under("5")))
    assert sluice.one(desired("5", **elsewhere))["result"] == "unchanged"


def test_slug_taken(sluice):
    section = Page.objects.get(slug="organizations")
    section.add_child(instance=IndexPage(title="By hand", slug="by-hand"))
    result = sluice.one(desired(slug="by-hand"))
    assert result["result"] == "conflict" and result["error"]["code"] == "slug_taken"
    assert result["error"]["fields"][0]["path"] == "/slug" and "By hand" in result["error"]["message"]
    sluice.batch(desired("1", slug="a"), desired("2", slug="b"))
    assert sluice.one(desired("2", slug="a"))["error"]["code"] == "slug_taken"
    assert sluice.one(desired("2", slug="a", state="draft"))["error"]["code"] == "slug_taken"
    elsewhere = {"kind": "place", "place": "archive"}
    Page.objects.get(slug="archive").add_child(instance=IndexPage(title="A", slug="a"))
    assert sluice.one(desired("1", parent=elsewhere))["error"]["code"] == "slug_taken"


def test_type_rules_of_the_site(sluice):
    sluice.one(desired("1"))
    picky = {"type": "site.PickyPage", "fields": {}}
    result = sluice.one(desired("2", parent=under("1"), **picky))
    assert result["result"] == "invalid" and result["error"]["fields"][0]["path"] == "/parent"
    assert sluice.one(desired("2", **picky))["result"] == "created"
    result = sluice.one(desired("2", parent=under("1"), **picky))
    assert result["result"] == "invalid" and result["error"]["fields"][0]["path"] == "/parent"


def test_not_ours(sluice):
    sluice.one(desired("1"))
    result = sluice.one(desired("1", type="site.PickyPage", fields={}))
    assert result["result"] == "conflict" and result["error"]["code"] == "not_ours"
    other = by_title(1)
    Page.objects.filter(pk=other.pk).update(alias_of=Page.objects.get(slug="archive"))
    assert sluice.one(desired("1", title="New"))["error"]["code"] == "not_ours"


def test_parent_that_is_off_takes_children(sluice):
    sluice.one(desired("1"))
    sluice.one(desired("1", state="unpublished"))
    assert sluice.one(desired("2", parent=under("1")))["result"] == "created"
