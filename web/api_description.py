"""The OpenAPI 3.1 document of the figures' interface, written by hand beside the code.

Tests compare every answer with it. What it promises is kept; what is added later is optional.
"""

from typing import Any, Final

from conference.api_keys.models import Scope
from web.api_documents import MEETING_COLUMNS

PAGE_SIZE: Final = 100

_DAY: Final = {"type": "string", "format": "date"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: Final = {"type": ["integer", "null"], "minimum": 0}
_TEXT: Final = {"type": "string"}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields}


def _list(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_IN_TIME: Final = _object(
    kept=_COUNT, of=_COUNT, share={"type": ["number", "null"], "minimum": 0, "maximum": 1}
)
_SITES: Final = {
    "invited": _COUNT, "present": _COUNT, "delegates": _COUNT_OR_NULL,
    "sites_without_number": _COUNT,
}  # fmt: skip
_FIGURES: Final[dict[str, Any]] = {
    "meetings": _object(total=_COUNT, central=_COUNT, intra=_COUNT),
    "hours": {"type": "number", "minimum": 0},
    "sites": _object(invited=_COUNT, present=_COUNT),
    "delegates": _object(present=_COUNT_OR_NULL, sites_without_number=_COUNT),
    "in_time": _object(invitations=_IN_TIME, papers=_IN_TIME, notices=_IN_TIME),
    "connection_losses": _COUNT,
}
_SCHEMAS: Final[dict[str, Any]] = {
    "Error": _object(error=_object(code=_TEXT, message=_TEXT)),
    "Period": _object(**{"from": _DAY, "to": _DAY, "name": _TEXT}),
    "Statistics": _object(
        period=_ref("Period"),
        as_of={"type": "string", "format": "date-time"},
        sentence=_TEXT,
        **_FIGURES,
        by_month=_list(
            _object(month={"type": "string", "pattern": r"^\d{4}-\d{2}$"}, central=_COUNT,
                    intra=_COUNT)
        ),
        by_kind=_list(_object(kind=_TEXT, meetings=_COUNT)),
        by_host=_list(_object(host=_TEXT, meetings=_COUNT)),
        by_level=_list(_object(level=_TEXT, **_SITES)),
        by_unit=_list(_object(unit=_TEXT, **_SITES)),
        savings_estimate=_object(journeys=_COUNT, kilometres=_COUNT, hours=_COUNT, dong=_COUNT),
        same_period_last_year=_object(period=_ref("Period"), **_FIGURES),
    ),
    "Meeting": _object(
        **dict.fromkeys(MEETING_COLUMNS, _COUNT)
        | {
            "title": _TEXT, "kind": _TEXT, "chair": _TEXT, "host": _TEXT, "date": _DAY,
            "scope": {"type": "string", "enum": ["central", "intra"]},
            "delegates": _COUNT_OR_NULL,
        }
    ),
    "Meetings": _object(
        items=_list(_ref("Meeting")), total=_COUNT, next_page={"type": ["integer", "null"]}
    ),
    "Unit": _object(
        code=_TEXT, name=_TEXT, type=_TEXT, level=_TEXT,
        parent_code={"type": ["string", "null"]},
        valid_from={"type": ["string", "null"], "format": "date"},
        valid_to={"type": ["string", "null"], "format": "date"},
    ),
    "Units": _object(items=_list(_ref("Unit")), total=_COUNT),
}  # fmt: skip


def document(server_url: str, version: str) -> dict[str, Any]:
    """The description as served by ``server_url``."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Điểm Cầu: figures",
            "version": version,
            "description": "Held meetings, units and statistics for operations centres and "
            "document systems. Dates are Vietnam's; a meeting belongs to the day it began.",
        },
        "servers": [{"url": server_url}],
        "security": [{"key": []}],
        "paths": {
            "/api/v1/statistics": _get(
                "statistics", "Figures of a period", Scope.STATISTICS, "Statistics", _period()
            ),
            "/api/v1/meetings": _get(
                "meetings", "Meetings held in a period", Scope.MEETINGS, "Meetings",
                [*_period(), _query("page", {"type": "integer", "minimum": 1, "maximum": 10000})],
            ),
            "/api/v1/units": _get(
                "units", "Units that exist on a day", Scope.UNITS, "Units", [_query("day", _DAY)]
            ),
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
        },
    }  # fmt: skip


def _period() -> list[dict[str, Any]]:
    return [_query("from", _DAY, is_required=True), _query("to", _DAY, is_required=True)]


def _query(name: str, schema: dict[str, Any], *, is_required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": is_required, "schema": schema}


def _get(
    name: str, summary: str, scope: Scope, answer: str, parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    file_format = _query("format", {"type": "string", "enum": ["json", "csv"], "default": "json"})
    content = {
        "application/json": {"schema": _ref(answer)},
        "text/csv": {"schema": _TEXT},
    }
    refused = {"application/json": {"schema": _ref("Error")}}
    reasons = {
        "400": "A parameter is missing or cannot be read; the sentence names it",
        "401": "No key, or one that is not in force",
        "403": f"The key lacks {scope.value}",
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "description": f"Needs the scope {scope.value}.",
            "parameters": [*parameters, file_format],
            "responses": {
                "200": {"description": summary, "content": content},
                **{
                    code: {"description": text, "content": refused}
                    for code, text in reasons.items()
                },
            },
        }
    }
