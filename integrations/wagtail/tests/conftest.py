"""A site with two sections, and a client that signs."""

import io
import json
import time
import uuid

import pytest
from django.conf import settings
from django.core.management import call_command
from wagtail.models import Locale, Page, Site

from sluice_wagtail.signature import sign
from tests.site.models import Area, District, IndexPage


class Sender:
    """What Sluice is to the site: signs a body and posts it."""

    def __init__(self, client):
        self.client = client

    def post(self, path, body, *, secret=None, now=None, message_id=None, sent=None, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        message_id = message_id or f"msg_{uuid.uuid4()}"
        stamp = int(time.time() if now is None else now)
        signature = sign(secret or settings.SLUICE_WAGTAIL["SECRETS"][0], message_id, stamp, raw)
        return self.client.generic(
            "POST",
            f"/sluice/v1/{path}/",
            raw if sent is None else sent,
            content_type="application/json",
            **{
                "HTTP_WEBHOOK_ID": message_id,
                "HTTP_WEBHOOK_TIMESTAMP": str(stamp),
                "HTTP_WEBHOOK_SIGNATURE": signature,
            }
            | headers,
        )

    def batch(self, *pages, **policy):
        response = self.post("apply", {"policy": policy, "pages": list(pages)})
        assert response.status_code == 200, response.content
        return response.json()["results"]

    def one(self, page, **policy):
        return self.batch(page, **policy)[0]

    def lookup(self, *external_ids):
        keys = [{"integration": "organization", "externalId": external_id} for external_id in external_ids]
        response = self.post("lookup", {"keys": keys})
        assert response.status_code == 200, response.content
        return response.json()["pages"]


def desired(external_id="1", **changes):
    """A published organisation under the section, with what a test changes of it."""
    return {
        "integration": "organization",
        "externalId": external_id,
        "type": "site.OrganizationPage",
        "parent": {"kind": "place", "place": "organizations"},
        "title": f"Organization {external_id}",
        "slug": None,
        "fields": {"phone": "123"},
        "references": {},
        "sets": {},
        "state": "published",
        "key": "1.0.0",
    } | changes


def under(external_id):
    """A parent that is another object's page."""
    return {"kind": "page", "integration": "organization", "externalId": external_id}


def build_site():
    """Home with two sections, districts and areas."""
    if not Page.objects.exists():
        # A test with real transactions empties the tables, also of what Wagtail's migrations put there.
        Locale.objects.get_or_create(language_code="en")
        Page.add_root(title="Root", slug="root").add_child(instance=Page(title="Home", slug="home"))
    home = Page.objects.get(depth=2)
    Site.objects.update_or_create(
        is_default_site=True, defaults={"hostname": "site.test", "port": 80, "root_page": home}
    )
    for title in ("Organizations", "Archive"):
        home.add_child(instance=IndexPage(title=title, slug=title.lower()))
    District.objects.bulk_create([District(title="North", code="N"), District(title="South", code="S")])
    Area.objects.bulk_create([Area(title=f"Area {number}", code=100 + number) for number in range(4)])


def assert_whole_tree():
    """Wagtail's own fixtree finds nothing to repair, and every page has the URL of its place."""
    out = io.StringIO()
    call_command("fixtree", interactive=False, stdout=out)
    lines = [line for line in out.getvalue().splitlines() if line]
    assert lines == [
        "Checking page tree for problems...",
        "No problems found.",
        "Checking collection tree for problems...",
        "No problems found.",
    ], out.getvalue()
    pages = {page.path: page for page in Page.objects.all()}
    for page in pages.values():
        parent = pages.get(page.path[: -page.steplen])
        assert page.url_path == ("/" if parent is None else f"{parent.url_path}{page.slug}/")


@pytest.fixture
def site(db):
    """The site, and after the test a look at its tree."""
    build_site()
    yield
    assert_whole_tree()


@pytest.fixture
def sluice(site, client):
    return Sender(client)
