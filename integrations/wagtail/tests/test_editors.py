"""Editors are not overwritten."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from wagtail.models import Page, Revision

from tests.conftest import desired
from tests.site.models import OrganizationPage


@pytest.fixture
def editor(site):
    return get_user_model().objects.create_superuser("editor", "editor@site.test", "x")


@pytest.fixture
def drafted(sluice, editor):
    """A live page with an editor's draft upon it."""
    sluice.one(desired())
    draft = OrganizationPage.objects.get()
    draft.intro, draft.title = "<p>Draft</p>", "Editor's title"
    draft.save_revision(user=editor)
    return draft


def now():
    return OrganizationPage.objects.get()


def test_conflict_is_the_default_and_goes_away(sluice, drafted):
    result = sluice.one(desired(title="New"))
    assert result["result"] == "conflict" and result["error"]["code"] == "editor_draft"
    assert result["pageId"] == str(drafted.pk) and result["url"]
    assert now().title == "Organization 1" and now().get_latest_revision().pk == drafted.latest_revision_id
    assert sluice.lookup("1")[0]["editorDraft"] is True
    # Nothing to do is no conflict.
    assert sluice.one(desired())["result"] == "unchanged"
    now().get_latest_revision().publish()
    assert sluice.lookup("1")[0]["editorDraft"] is False
    assert sluice.one(desired(title="New"))["result"] == "published"
    assert (now().title, now().intro) == ("New", "<p>Draft</p>")


def test_conflict_in_draft_mode(sluice, drafted):
    assert sluice.one(desired(state="draft", fields={"phone": "9"}))["error"]["code"] == "editor_draft"


def test_preserve_publishes_and_rebases_the_draft(sluice, drafted, editor):
    wanted = desired(title="New", fields={"phone": "9"})
    assert sluice.one(wanted, editorDraft="preserve")["result"] == "published"
    live = now()
    assert (live.title, live.phone, live.intro, live.live) == ("New", "9", "", True)
    assert live.has_unpublished_changes
    draft = live.get_latest_revision_as_object()
    assert (draft.title, draft.phone, draft.intro) == ("New", "9", "<p>Draft</p>")
    assert live.get_latest_revision().user == editor
    count = Revision.objects.count()
    assert sluice.one(wanted, editorDraft="preserve")["result"] == "unchanged"
    assert Revision.objects.count() == count
    # It still is the editor's.
    assert sluice.one(desired(title="Newer"))["error"]["code"] == "editor_draft"


def test_preserve_in_draft_mode_writes_upon_the_draft(sluice, drafted):
    wanted = desired(title="New", state="draft", fields={"phone": "9"})
    assert sluice.one(wanted, editorDraft="preserve")["result"] == "draft_saved"
    draft = now().get_latest_revision_as_object()
    assert (draft.title, draft.phone, draft.intro) == ("New", "9", "<p>Draft</p>")
    assert now().phone == "123"
    assert sluice.one(wanted, editorDraft="preserve")["result"] == "unchanged"
    assert sluice.one(desired(title="Newer"))["error"]["code"] == "editor_draft"


def test_overwrite(sluice, drafted):
    assert sluice.one(desired(title="New"), editorDraft="overwrite")["result"] == "published"
    assert not now().has_unpublished_changes and now().intro == ""
    assert now().get_latest_revision_as_object().intro == ""
    # History keeps what the editor wrote.
    assert any("<p>Draft</p>" in str(revision.content) for revision in Revision.objects.all())


def test_overwrite_in_draft_mode(sluice, drafted):
    wanted = desired(title="New", state="draft")
    assert sluice.one(wanted, editorDraft="overwrite")["result"] == "draft_saved"
    assert now().get_latest_revision_as_object().intro == ""
    assert sluice.one(desired(title="Newer"))["result"] == "published"


def test_an_editors_change_of_its_own_draft_makes_it_the_editors(sluice):
    sluice.one(desired(state="draft"))
    draft = now().get_latest_revision_as_object()
    draft.intro = "<p>By hand</p>"
    draft.save_revision()
    assert sluice.one(desired())["error"]["code"] == "editor_draft"
    result = sluice.one(desired(), editorDraft="preserve")
    assert result["result"] == "published" and now().live and now().intro == ""
    assert now().get_latest_revision_as_object().intro == "<p>By hand</p>"


def test_taking_off_harms_no_draft(sluice, drafted):
    assert sluice.one(desired(state="unpublished"))["result"] == "unpublished"
    assert now().get_latest_revision_as_object().intro == "<p>Draft</p>"
    assert sluice.one(desired())["error"]["code"] == "editor_draft"


def test_locked_page(sluice):
    sluice.one(desired())
    Page.objects.filter(pk=now().pk).update(locked=True)
    assert sluice.one(desired(title="New"))["error"]["code"] == "editor_draft"
    assert sluice.one(desired(title="New"), editorDraft="overwrite")["result"] == "published"
    assert now().locked


def test_scheduled_draft(sluice, editor):
    sluice.one(desired())
    draft, at = now(), timezone.now().replace(microsecond=0) + timedelta(days=1)
    draft.go_live_at, draft.intro = at, "<p>Tomorrow</p>"
    scheduled = draft.save_revision(user=editor)
    scheduled.publish()
    assert sluice.one(desired(title="New"))["error"]["code"] == "editor_draft"
    assert sluice.one(desired(title="New"), editorDraft="preserve")["result"] == "published"
    assert now().live and now().title == "New" and now().intro == ""
    assert now().get_latest_revision().approved_go_live_at == at
    assert now().get_latest_revision_as_object().go_live_at == at
    assert sluice.one(desired(title="New"), editorDraft="preserve")["result"] == "unchanged"
    # A second draft upon the scheduled one: publishing would cancel the schedule, so it doesn't.
    later = now().get_latest_revision_as_object()
    later.intro = "<p>Later</p>"
    later.save_revision()
    result = sluice.one(desired(title="Newer"), editorDraft="preserve")
    assert result["error"]["code"] == "editor_draft" and "schedule" in result["error"]["message"]
    assert sluice.one(desired(title="Newer"), editorDraft="overwrite")["result"] == "published"
    assert now().title == "Newer" and now().go_live_at is None and now().live


def test_page_scheduled_before_it_was_ever_live(sluice):
    sluice.one(desired(state="draft"))
    draft = now()
    draft.go_live_at = timezone.now() + timedelta(days=1)
    draft.save_revision().publish()
    assert not now().live and sluice.lookup("1")[0]["editorDraft"] is True
    assert sluice.one(desired())["error"]["code"] == "editor_draft"
    assert sluice.one(desired(), editorDraft="preserve")["error"]["code"] == "editor_draft"
    assert sluice.one(desired(), editorDraft="overwrite")["result"] == "published"
    assert now().live


def test_moderation(sluice, drafted, editor):
    workflow = drafted.get_workflow()
    workflow.start(drafted, editor)
    assert now().workflow_in_progress
    result = sluice.one(desired(title="New"), editorDraft="preserve")
    assert result["error"]["code"] == "editor_draft" and now().workflow_in_progress
    assert sluice.one(desired(title="New"), editorDraft="overwrite")["result"] == "published"
    assert not now().workflow_in_progress


def test_moderation_of_the_masters_own_draft(sluice, editor):
    sluice.one(desired())
    sluice.one(desired(state="draft", title="New"))
    workflow = now().get_workflow()
    workflow.start(now(), editor)
    assert sluice.lookup("1")[0]["editorDraft"] is True
    for state in ("published", "draft"):
        for policy in ("conflict", "preserve"):
            result = sluice.one(desired(title="Newer", state=state), editorDraft=policy)
            assert result["error"]["code"] == "editor_draft" and "moderation" in result["error"]["message"]
    # What changes nothing is in nobody's way, nor is another place.
    assert sluice.one(desired(state="draft", title="New"))["result"] == "unchanged"
    assert sluice.one(desired(parent={"kind": "place", "place": "archive"}))["result"] == "moved"
    assert now().workflow_in_progress
    now().current_workflow_task_state.approve(user=editor)
    assert now().title == "New" and sluice.lookup("1")[0]["editorDraft"] is False
    assert sluice.one(desired(title="Newer"))["result"] == "published" and now().title == "Newer"


def test_taken_off_by_an_editor_is_told_and_not_undone(sluice):
    sluice.one(desired())
    now().unpublish()
    told = ["an editor took the page off"]
    result = sluice.one(desired())
    assert (result["result"], result["drift"]) == ("unchanged", told)
    wanted = desired(title="New")
    result = sluice.one(wanted)
    assert (result["result"], result["drift"]) == ("draft_saved", told)
    assert not now().live and now().get_latest_revision_as_object().title == "New"
    again = sluice.one(wanted)
    assert (again["result"], again["drift"]) == ("unchanged", told)
    result = sluice.one(wanted, drift="undo")
    assert (result["result"], result["drift"]) == ("published", told)
    assert now().live and now().title == "New"


def test_deleted_by_the_master_after_an_editor_took_it_off_then_revived(sluice):
    sluice.one(desired())
    now().unpublish()
    assert sluice.one(desired(state="unpublished"))["result"] == "unchanged"
    assert sluice.one(desired())["result"] == "published"


def test_an_editor_takes_off_what_also_has_a_draft_of_the_master(sluice):
    sluice.one(desired())
    sluice.one(desired(state="draft", title="Draft"))
    now().unpublish()
    assert sluice.one(desired())["drift"] == ["an editor took the page off"]
    assert not now().live


def test_expired_page(sluice):
    sluice.one(desired())
    page = now()
    page.expire_at = timezone.now() - timedelta(days=1)
    page.save()
    page.unpublish(set_expired=True)
    assert sluice.one(desired())["drift"] == ["the page passed the expiry date that an editor set"]
    assert sluice.one(desired(), drift="undo")["result"] == "published"
    assert now().live and not now().expired and now().expire_at is None


def test_put_back_by_an_editor(sluice):
    sluice.one(desired())
    sluice.one(desired(state="unpublished"))
    now().get_latest_revision().publish()
    result = sluice.one(desired(state="unpublished"))
    assert (result["result"], result["drift"]) == ("unchanged", ["an editor published the page again"])
    assert now().live
    assert sluice.one(desired(state="unpublished"), drift="undo")["result"] == "unpublished"


def test_a_schedule_does_not_bring_back_what_the_master_took_off(sluice):
    sluice.one(desired(state="draft"))
    draft = now()
    draft.go_live_at = timezone.now() + timedelta(days=1)
    draft.save_revision().publish()
    result = sluice.one(desired(state="unpublished"))
    assert (result["result"], result["urls"], result["drift"]) == ("unpublished", [], None)
    assert list(result["changes"]) == ["scheduled"] and not now().approved_schedule
    assert sluice.one(desired(state="unpublished"))["result"] == "unchanged"
    # Scheduled after that, it is the editor's wish.
    now().get_latest_revision_as_object().save_revision().publish()
    result = sluice.one(desired(state="unpublished"))
    assert (result["result"], result["drift"]) == ("unchanged", ["an editor scheduled the page to be published again"])
    assert now().approved_schedule
    assert sluice.one(desired(state="unpublished"), drift="undo")["result"] == "unpublished"
    assert not now().approved_schedule


def test_moved_by_an_editor(sluice):
    sluice.one(desired())
    archive = Page.objects.get(slug="archive")
    now().move(archive, "last-child")
    result = sluice.one(desired())
    assert (result["result"], result["drift"]) == ("unchanged", ["an editor moved the page"])
    result = sluice.one(desired(title="New"))
    assert (result["result"], result["drift"]) == ("published", ["an editor moved the page"])
    assert now().get_parent().pk == archive.pk
    result = sluice.one(desired(title="New"), drift="undo")
    assert (result["result"], result["drift"]) == ("moved", ["an editor moved the page"])
    assert now().get_parent().slug == "organizations"


def test_the_master_moves_what_an_editor_moved(sluice):
    sluice.one(desired())
    now().move(Page.objects.get(slug="home"), "last-child")
    result = sluice.one(desired(parent={"kind": "place", "place": "archive"}))
    assert (result["result"], result["drift"]) == ("moved", None)


def test_deleted_by_an_editor(sluice):
    first = sluice.one(desired())
    now().delete()
    result = sluice.one(desired())
    assert result["result"] == "conflict" and result["error"]["code"] == "page_trashed"
    assert result["drift"] == ["an editor deleted the page"]
    assert sluice.lookup("1")[0]["pageId"] is None
    off = sluice.one(desired(state="unpublished"))
    assert (off["result"], off["drift"]) == ("unchanged", ["an editor deleted the page"])
    sluice.one(desired(state="unpublished"))
    again = sluice.one(desired())
    assert again["result"] == "created" and again["pageId"] != first["pageId"]
    now().delete()
    result = sluice.one(desired(), drift="undo")
    assert (result["result"], result["drift"]) == ("created", ["an editor deleted the page"])
