"""A diagnosis in the layout of ``nscurl --ats-diagnostics``, to the letter, for scripts and eyes that know it.

Source: Apple, Identifying the source of blocked connections and Cocoa Keys (archived), and transcripts of nscurl from 2015 to
2026. INCONCLUSIVE is a result that nscurl does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow, UrlSessionError
from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import DEFAULT_PORTS, Endpoint
from atsprobe.model.result import DiagnoseResult
from atsprobe.report.escape import escape
from atsprobe.report.style import VERBOSE, Style

_RULE = "=" * 80
_DESCRIPTIONS = {
    -1200: "An SSL error has occurred and a secure connection to the server cannot be made.",
    -1202: "The certificate for this server is invalid. You might be connecting to a server that is pretending to be "
    "\N{LEFT DOUBLE QUOTATION MARK}{host}\N{RIGHT DOUBLE QUOTATION MARK} which could put your confidential information at risk.",
}


def render_nscurl(result: DiagnoseResult, style: Style) -> str:
    """Write the sixteen tests of each table, one table after the other; verbose, with dictionaries and errors."""
    verbose = style.verbosity >= VERBOSE
    lines = [line for diagnosis in result.diagnoses for line in _table(diagnosis, verbose=verbose)]
    return "".join(f"{escape(line, ascii_only=not style.unicode)}\n" for line in lines)


def _table(diagnosis: Diagnosis, *, verbose: bool) -> Iterator[str]:
    url = _url(diagnosis.endpoint)
    yield "Starting ATS Diagnostics"
    yield ""
    yield f"Configuring ATS Info.plist keys and displaying the result of HTTPS loads to {url}."
    yield 'A test will "PASS" if URLSession:task:didCompleteWithError: returns a nil error.'
    if not verbose:
        yield (
            "Use '--verbose' to view the ATS dictionaries used and to display the error received in "
            "URLSession:task:didCompleteWithError:."
        )
    yield _RULE
    sections: dict[str, list[DiagnosticRow]] = {}
    for row in diagnosis.nscurls:
        sections.setdefault(row.test.section, []).append(row)
    for number, (heading, rows) in enumerate(sections.items()):
        yield ""
        yield heading
        for position, row in enumerate(rows):
            if number or position:
                yield ""
            yield from _test(row, diagnosis.endpoint, verbose=verbose)
        yield ""
        yield _RULE


def _test(row: DiagnosticRow, endpoint: Endpoint, *, verbose: bool) -> Iterator[str]:
    yield "---"
    yield row.test.label
    if verbose:
        yield "ATS Dictionary:"
        yield from _dictionary(row.test.dictionary)
    yield f"Result : {row.result}"
    if verbose and row.error is not None:
        yield f"Error : {_error(row.error, endpoint)}"
    yield "---"


def _dictionary(members: Mapping[str, PlistValue], level: int = 0) -> Iterator[str]:
    """Write a dictionary as NSDictionary describes itself; below a key it opens after as many blanks as stand before it."""
    if level == 0:
        yield "{"
    inner = " " * 4 * (level + 1)
    for key in sorted(members):
        value = members[key]
        name = f'"{key}"' if level == 1 else key
        if isinstance(value, Mapping):
            yield f"{inner}{name} = {inner}{{"
            yield from _dictionary(value, level + 1)
            yield f"{inner}}};"
        else:
            yield f"{inner}{name} = {_value(value)};"
    if level == 0:
        yield "}"


def _value(value: PlistValue) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else f'"{value!s}"'


def _error(error: UrlSessionError, endpoint: Endpoint) -> str:
    """Describe an NSError, less what another run would write in another way (addresses of memory, numbers of tasks)."""
    url, text = f"{_url(endpoint)}/", _DESCRIPTIONS[error.code].format(host=endpoint.host)
    told = [
        f"NSErrorFailingURLStringKey={url}",
        "NSLocalizedRecoverySuggestion=Would you like to connect to the server anyway?",
        "_kCFStreamErrorDomainKey=3",
        f"NSErrorFailingURLKey={url}",
        f"NSLocalizedDescription={text}",
    ]
    if error.stream_code is not None:
        told.append(f"_kCFStreamErrorCodeKey={error.stream_code}")
    return f'Error Domain=NSURLErrorDomain Code={error.code} "{text}" UserInfo={{{", ".join(told)}}}'


def _url(endpoint: Endpoint) -> str:
    name = str(endpoint) if endpoint.port != DEFAULT_PORTS["https"] else str(endpoint).removesuffix(":443")
    return f"https://{name}"
