"""Signature, limits, shapes."""

import time

import pytest
from django.db import OperationalError
from django.test import Client

from sluice_wagtail import views
from tests.conftest import Sender, desired
from tests.site.models import OrganizationPage


def test_both_secrets_fit_during_a_rotation(sluice, settings):
    for secret in settings.SLUICE_WAGTAIL["SECRETS"]:
        assert sluice.post("lookup", {"keys": []}, secret=secret).status_code == 200


def test_several_signatures_in_one_header(sluice, settings):
    response = sluice.post("lookup", {"keys": []})
    header = response.wsgi_request.META["HTTP_WEBHOOK_SIGNATURE"]
    mixed = {
        "HTTP_WEBHOOK_SIGNATURE": f"v1a,xyz {header}",
        "HTTP_WEBHOOK_ID": response.wsgi_request.META["HTTP_WEBHOOK_ID"],
    }
    assert sluice.post("lookup", {"keys": []}, message_id=mixed["HTTP_WEBHOOK_ID"], **mixed).status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"secret": "whsec_YW5vdGhlci1zZWNyZXQtdGhhdC1ub2JvZHkta25vd3M="},
        {"sent": b'{"keys": [ ]}'},
        {"HTTP_WEBHOOK_ID": "other"},
        {"HTTP_WEBHOOK_ID": ""},
        {"HTTP_WEBHOOK_SIGNATURE": ""},
        {"HTTP_WEBHOOK_SIGNATURE": "v1,é"},
        {"HTTP_WEBHOOK_TIMESTAMP": "soon"},
        {"HTTP_WEBHOOK_TIMESTAMP": "-5"},
        {"now": time.time() - 400},
        {"now": time.time() + 400},
    ],
)
def test_refused_signatures(sluice, options):
    response = sluice.post("lookup", {"keys": []}, **options)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "unauthorized"
    assert "bmV3ZXI" not in response.content.decode()


def test_no_secret_lets_nobody_in(sluice, settings):
    secret = settings.SLUICE_WAGTAIL["SECRETS"][0]
    settings.SLUICE_WAGTAIL = settings.SLUICE_WAGTAIL | {"SECRETS": []}
    assert sluice.post("lookup", {"keys": []}, secret=secret).status_code == 401


def test_needs_no_csrf_token(site):
    assert Sender(Client(enforce_csrf_checks=True)).post("lookup", {"keys": []}).status_code == 200


def test_only_post(client):
    response = client.get("/sluice/v1/apply/")
    assert response.status_code == 405 and response["Allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{", None),
        (b"\xff", None),
        (b'{"pages": [NaN]}', None),
        (b"[" * 100_000, None),
        ([], ""),
        ({}, "/pages"),
        ({"pages": [], "policy": {"editorDraft": "x"}}, "/policy/editorDraft"),
        ({"pages": [], "policy": {"other": 1}}, "/policy/other"),
        ({"pages": [{}] * 101}, "/pages"),
    ],
)
def test_bodies_of_another_shape(sluice, body, path):
    response = sluice.post("apply", body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "bad_request" and error.get("path") == path


def test_body_has_a_bound(sluice, settings):
    settings.SLUICE_WAGTAIL = settings.SLUICE_WAGTAIL | {"MAX_BYTES": 1000}
    assert sluice.post("apply", {"pages": [], "pad": "x" * 1000}).status_code == 413


def test_body_may_be_larger_than_django_takes_by_default(sluice):
    address = {"extra": {"text": "x" * 3_000_000}}
    assert sluice.one(desired(fields=address))["result"] == "created"


def test_lookup(sluice):
    made = sluice.one(desired())
    sluice.one(desired("2", state="draft"))
    found = sluice.lookup("1", "2", "3")
    assert found[2] is None
    assert found[0] == {
        "integration": "organization",
        "externalId": "1",
        "pageId": made["pageId"],
        "url": made["url"],
        "type": "site.OrganizationPage",
        "parentId": found[1]["parentId"],
        "live": True,
        "editorDraft": False,
        "state": "published",
        "hash": found[0]["hash"],
        "key": "1.0.0",
    }
    assert len(found[0]["hash"]) == 64
    assert (found[1]["live"], found[1]["state"]) == (False, "draft")
    assert sluice.post("lookup", {"keys": [{"integration": "x"}]}).json()["error"]["path"] == "/keys/0/externalId"


def test_database_away_is_503(sluice, monkeypatch):
    def away(*_):
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(views, "apply", away)
    response = sluice.post("apply", {"pages": [desired()]})
    assert response.status_code == 503 and response["Retry-After"] == "5"


def test_failure_of_the_sites_code_harms_one_page(sluice):
    from wagtail.signals import page_published

    def broken(instance, **_):
        if instance.title == "Organization 1":
            raise RuntimeError("a receiver is broken")

    page_published.connect(broken)
    try:
        results = sluice.batch(desired("1"), desired("2"))
    finally:
        page_published.disconnect(broken)
    assert [result["result"] for result in results] == ["invalid", "created"]
    assert "a receiver is broken" in results[0]["error"]["message"]
    assert OrganizationPage.objects.count() == 1
