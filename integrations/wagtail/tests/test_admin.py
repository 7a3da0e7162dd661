"""What editors and Wagtail itself see of a page that was applied: history, edit view, search, references, signals."""

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from wagtail.models import PageLogEntry, ReferenceIndex, Revision
from wagtail.signals import page_published, page_slug_changed, page_unpublished

from sluice_wagtail.models import PageRecord
from tests.conftest import desired
from tests.site.models import Area, District, OrganizationPage


@pytest.fixture
def admin(sluice, client):
    client.force_login(get_user_model().objects.create_superuser("editor", "editor@site.test", "x"))
    return client


def test_history_names_the_integration(sluice, admin):
    sluice.one(desired(key="7.0.0"))
    sluice.one(desired(key="8.3.0", state="draft", title="Draft"))
    sluice.one(desired(key="9.0.0", state="unpublished"))
    page = OrganizationPage.objects.get()
    html = admin.get(f"/admin/pages/{page.pk}/history/").content.decode()
    for text in (
        "Integration “organization” created the page: external ID 1, message 7.0.0",
        "Integration “organization” saved a draft: external ID 1, message 8.3.0",
        "Integration “organization” took the page off: external ID 1, message 9.0.0",
    ):
        assert text in html
    entries = PageLogEntry.objects.filter(action="sluice_wagtail.apply").order_by("pk")
    assert [entry.data["result"] for entry in entries] == ["created", "draft_saved", "unpublished"]
    revisions = list(Revision.objects.order_by("pk").values_list("pk", flat=True))
    assert [entry.revision_id for entry in entries] == [*revisions, None]
    # Wagtail's own entries are there as for an editor, and stand together with ours.
    assert PageLogEntry.objects.filter(action="wagtail.publish", uuid=entries[0].uuid).exists()


def test_a_user_stands_for_the_integration_where_the_settings_say_so(sluice):
    missing = sluice.one(desired(integration="named"))
    assert missing["result"] == "invalid" and "'sluice'" in missing["error"]["message"]
    user = get_user_model().objects.create_user("sluice")
    assert sluice.one(desired(integration="named"))["result"] == "created"
    page = OrganizationPage.objects.get()
    assert page.owner == user and page.get_latest_revision().user == user
    assert {entry.user_id for entry in PageLogEntry.objects.filter(page=page.pk)} == {user.pk}
    sluice.one(desired(integration="named", parent={"kind": "place", "place": "archive"}))
    assert sluice.one(desired(integration="named", state="unpublished"))["result"] == "unpublished"
    assert {entry.user_id for entry in PageLogEntry.objects.filter(page=page.pk)} == {user.pk}


def test_edit_view_and_an_editors_save(sluice, admin):
    areas = [str(area.pk) for area in Area.objects.all()[:2]]
    sluice.one(desired(sets={"areas": areas}))
    page = OrganizationPage.objects.get()
    response = admin.get(f"/admin/pages/{page.pk}/edit/")
    assert response.status_code == 200
    form = response.context["form"]
    assert form.initial["phone"] == "123" and len(form["areas"].value()) == 2
    data = {"title": page.title, "slug": page.slug, "phone": "123", "address": "By hand", "areas": areas}
    data |= {"intro": "null", "action-publish": "1", "comments-TOTAL_FORMS": 0, "comments-INITIAL_FORMS": 0}
    assert admin.post(f"/admin/pages/{page.pk}/edit/", data).status_code == 302
    assert OrganizationPage.objects.get().address == "By hand"
    assert sluice.one(desired(sets={"areas": areas}))["result"] == "unchanged"


def test_a_page_does_not_count_as_in_use_for_its_record(sluice, admin):
    sluice.one(desired())
    page = OrganizationPage.objects.get()
    assert not ReferenceIndex.get_references_to(page).exists()
    assert admin.post(f"/admin/pages/{page.pk}/delete/").status_code == 302
    record = PageRecord.objects.get()
    assert record.page_id is None and record.state == "published"


def found(text):
    return [page.title for page in OrganizationPage.objects.search(text)]


def test_search_index(sluice):
    sluice.one(desired(title="Waterworks", fields={"phone": "5550100"}))
    assert found("waterworks") == ["Waterworks"] and found("5550100") == ["Waterworks"]
    sluice.one(desired(title="Powerplant", state="draft"))
    assert found("powerplant") == []
    sluice.one(desired(title="Gasworks"))
    assert found("gasworks") == ["Gasworks"] and found("waterworks") == []


def references():
    return set(ReferenceIndex.objects.values_list("object_id", "model_path", "to_object_id"))


def test_reference_index(sluice):
    first, second = District.objects.all()
    areas = [str(area.pk) for area in Area.objects.all()[:2]]
    wanted = desired(references={"district": str(first.pk)}, sets={"area_links.area": areas})
    made = sluice.one(wanted)["pageId"]
    assert ReferenceIndex.get_references_to(first).count() == 1
    sluice.one(desired(references={"district": str(second.pk)}, sets={"area_links.area": areas[:1]}))
    assert not ReferenceIndex.get_references_to(first).exists()
    assert ReferenceIndex.get_references_to(second).get().object_id == made
    before = references()
    call_command("rebuild_references_index", stdout=StringIO())
    assert references() == before


def test_signals(sluice, django_capture_on_commit_callbacks):
    seen = []

    def note(signal, instance, **_):
        seen.append((signal, instance.title))

    signals = (page_published, page_unpublished, page_slug_changed)
    for signal in signals:
        signal.connect(note)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            sluice.one(desired())
            sluice.one(desired())
            sluice.one(desired(state="draft", title="Draft"))
            sluice.one(desired(slug="other"))
            sluice.one(desired(state="unpublished"))
    finally:
        for signal in signals:
            signal.disconnect(note)
    title = "Organization 1"
    assert seen == [
        (page_published, title),
        (page_published, title),
        (page_unpublished, title),
        (page_slug_changed, title),
    ]
