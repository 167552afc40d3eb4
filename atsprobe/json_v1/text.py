"""Documents as text, and back: the two places where JSON's own syntax matters."""

from __future__ import annotations

import json
from typing import Any

from atsprobe.json_v1.problem import DocumentProblem

MAX_DOCUMENT_BYTES = 256 << 20
"""The largest document that is read: more than 5,000 servers with all suites enumerated, at 25 to 50 KB each."""


def dumps(document: dict[str, Any]) -> str:
    """Write a document: two spaces a level, keys in the order written, ASCII alone, a newline at the end.

    Characters that an app or a server wrote reach no terminal raw: all beyond ASCII and all controls (DEL too, which
    JSON itself would leave) stand as ``\\uXXXX``.
    """
    text = json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("\x7f", "\\u007f") + "\n"


def loads(data: bytes | str) -> object:
    """Read JSON in any Unicode encoding (PowerShell's ``>`` writes UTF-16). Raises DocumentProblem."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DocumentProblem("", f"longer than {MAX_DOCUMENT_BYTES >> 20} MiB")
    try:
        text = data if isinstance(data, str) else data.decode(json.detect_encoding(data))
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant)
    except UnicodeDecodeError as problem:
        raise DocumentProblem("", "not JSON: neither UTF-8 nor UTF-16") from problem
    except json.JSONDecodeError as problem:
        raise DocumentProblem("", f"not JSON: {problem.msg} (line {problem.lineno})") from problem
    except RecursionError as problem:
        raise DocumentProblem("", "nested too deeply") from problem
    except ValueError as problem:  # a number of more digits than Python reads; a constant that JSON does not know
        raise DocumentProblem("", f"not JSON: {str(problem)[:80]}") from problem


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number of JSON")
