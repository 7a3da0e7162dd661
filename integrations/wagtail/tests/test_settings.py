"""System checks name what is wrong in the setting."""

import pytest

from sluice_wagtail.checks import check_settings

SECRET = "whsec_bmV3ZXItc2VjcmV0LW9mLXRoZS10ZXN0LXNpdGUh"


def owns(**rules):
    return {"SECRETS": [SECRET], "INTEGRATIONS": {"a": {"TYPES": {"site.OrganizationPage": rules}}}}


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ([], "E001", "must be a dict"),
        ({"SECRET": "x"}, "E001", "unknown entry 'SECRET'"),
        ({"SECRETS": SECRET}, "E001", "list of texts"),
        ({"TOLERANCE": 0}, "E001", "TOLERANCE"),
        ({"PLACES": {"a": None}}, "E001", "['PLACES']['a']"),
        (
            {"INTEGRATIONS": {"a": {"TYPES": {}, "TYPE": 1}}},
            "E001",
            "['INTEGRATIONS']['a'] has the unknown entry 'TYPE'",
        ),
        ({"INTEGRATIONS": {"a": {"USER": 5}}}, "E001", "user name"),
        (owns(REFERENCES={"district": 5}), "E001", "['REFERENCES']"),
        ({}, "W001", "every request is refused"),
        ({"SECRETS": ["short"]}, "E002", "SECRETS'][0]"),
        ({"SECRETS": ["whsec_c2hvcnQ="]}, "E002", "24 bytes"),
        ({"SECRETS": [SECRET], "INTEGRATIONS": {"a": {"TYPES": {"site.Nothing": {}}}}}, "E003", "site.Nothing"),
        ({"SECRETS": [SECRET], "INTEGRATIONS": {"a": {"TYPES": {"site.Area": {}}}}}, "E003", "must be a page type"),
        (
            {"SECRETS": [SECRET], "INTEGRATIONS": {"a": {"TYPES": {"site.organizationpage": {}}}}},
            "E003",
            "written site.OrganizationPage",
        ),
        (owns(FIELDS=["fone"]), "E004", "no field 'fone'"),
        (owns(FIELDS=["district"]), "E004", "no plain field"),
        (owns(REFERENCES=["phone"]), "E004", "no ForeignKey"),
        (owns(REFERENCES={"district": "title"}), "E004", "isn't unique"),
        (owns(SETS=["phone"]), "E004", "no ParentalManyToManyField"),
        (owns(SETS=["area_links.note"]), "E004", "leads to no ForeignKey"),
        (owns(SETS=["district.title"]), "E004", "no child relation"),
    ],
)
def test_wrong_settings(settings, value, code, words):
    settings.SLUICE_WAGTAIL = value
    (message,) = check_settings(None)
    assert message.id == f"sluice_wagtail.{code}" and words in message.msg


def test_right_settings():
    assert check_settings(None) == []
