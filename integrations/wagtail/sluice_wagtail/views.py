"""The two endpoints."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .apply import apply
from .conf import configuration
from .lookup import lookup
from .signature import SignatureRefused, verify
from .wire import DesiredPage, FieldError, Malformed, PageResult, desired_of, key_of, policy_of

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], dict[str, Any]]


def _endpoint(handler: Handler) -> Callable[[HttpRequest], HttpResponse]:
    """A signed JSON endpoint: POST only, bounded, no session, no CSRF token, no transaction around the whole."""

    @csrf_exempt
    @transaction.non_atomic_requests
    @wraps(handler)
    def view(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            response = _failure(405, "method_not_allowed", "This endpoint takes POST.")
            response["Allow"] = "POST"
            return response
        config = configuration()
        body = request.read(config.max_bytes + 1)
        if len(body) > config.max_bytes:
            return _failure(413, "too_large", f"A request may have {config.max_bytes} bytes: send fewer pages.")
        try:
            verify(request.headers, body, config.secrets, now=time.time(), tolerance=config.tolerance)
        except SignatureRefused as error:
            return _failure(401, "unauthorized", str(error))
        try:
            parsed = json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            return _failure(400, "bad_request", f"The body is no JSON: {error}.")
        try:
            if not isinstance(parsed, dict):
                raise Malformed("", "must be an object")
            return JsonResponse(handler(parsed))
        except Malformed as error:
            return _failure(400, "bad_request", str(error), error.path)
        except Error as error:
            logger.exception("sluice_wagtail: the database failed")
            words = f"The site's database failed: {type(error).__name__}: {error}. Send the same request again."
            response = _failure(503, "unavailable", words)
            response["Retry-After"] = "5"
            return response

    return view


@_endpoint
def apply_view(body: dict[str, Any]) -> dict[str, Any]:
    """``POST apply/``: applies a batch of desired pages."""
    policy = policy_of(body.get("policy", {}))
    entries = _list(body, "pages")
    results: list[PageResult | None] = [None] * len(entries)
    good: list[tuple[int, DesiredPage]] = []
    for index, entry in enumerate(entries):
        try:
            good.append((index, desired_of(entry)))
        except Malformed as error:
            results[index] = PageResult(
                "invalid",
                code="page_invalid",
                message=str(error),
                errors=[FieldError(error.path, error.message)],
            )
    for (index, _), result in zip(good, apply([page for _, page in good], policy), strict=True):
        results[index] = result
    return {"results": [result.to_json() for result in results if result is not None]}


@_endpoint
def lookup_view(body: dict[str, Any]) -> dict[str, Any]:
    """``POST lookup/``: what stands for these keys."""
    keys = [key_of(entry, f"/keys/{index}") for index, entry in enumerate(_list(body, "keys"))]
    return {"pages": lookup(keys)}


def _list(body: dict[str, Any], name: str) -> list[Any]:
    entries, most = body.get(name), configuration().max_pages
    if not isinstance(entries, list):
        raise Malformed(f"/{name}", "must be a list")
    if len(entries) > most:
        raise Malformed(f"/{name}", f"may have {most} entries: send several requests")
    return entries


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _failure(status: int, code: str, message: str, path: str | None = None) -> JsonResponse:
    error = {"code": code, "message": message}
    if path is not None:
        error["path"] = path
    return JsonResponse({"error": error}, status=status)
