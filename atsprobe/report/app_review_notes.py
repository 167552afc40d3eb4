"""The reasons for each exception as a page of Markdown, for App Review and for the repository."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from atsprobe.model.app_review import wants_a_reason
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import counterpart
from atsprobe.model.handshake import accepted_suites, deployments
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.observation import Observation, TlsObservation
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.dossier import Dossier, Gone, Kept, dossiers, most, seen_on, without_exception
from atsprobe.report.escape import shortened
from atsprobe.report.fixes import server_fix
from atsprobe.report.markdown_escape import code, prose
from atsprobe.report.places import bundle_title, shown_value, spoken
from atsprobe.report.tally import tally
from atsprobe.report.text.answer import client
from atsprobe.report.text.evidence import of_server
from atsprobe.report.words import count, listed, were

_SOURCE = "Apple, Preventing insecure network connections"
_ACCEPTED_REASONS = (
    "Apple names as reasons, among others, that the server is managed by another party, that the app has to reach devices "
    "which cannot be upgraded, that it shows web content of many sources, and that it loads media which is encrypted and holds "
    "nothing personal"
)
_MOST_SERVERS, _MOST_ADDRESSES, _MOST_NAMES = 10, 16, 5


def app_review_notes(result: AuditResult) -> str:
    """Write the page: for each exception that stays why, and what would remove it; for each that goes the proof."""
    every = [d for d in dossiers(result) if d.says_something]
    lines = [f"# App Transport Security of {prose(_subject(result))}", "", _about(result), *_asked(every)]
    for dossier in every:
        level = 3 if len(every) > 1 else 2
        if len(every) > 1:
            lines += ["", f"## {prose(_title(dossier))}"]
        lines += _Page(result, dossier, "#" * level).lines()
    if not every:
        lines += ["", f"{without_exception(result).capitalize()}."]
    return "\n".join((*lines, ""))


def _subject(result: AuditResult) -> str:
    main = dossiers(result)[0].bundle
    return count(len(result.loads), "endpoint") if main is None else bundle_title(main)


def _asked(every: Sequence[Dossier]) -> list[str]:
    """Say for how many keys App Review wants a reason, and what counts as one."""
    asked = sum(wants_a_reason(k.key) for d in every for k in d.kept)
    if not asked:
        return []
    keys = f"{count(asked, 'key')} that {'stays' if asked == 1 else 'stay'}"
    return ["", f"App Review asks for a reason for {keys} ({_SOURCE}). {_ACCEPTED_REASONS}."]


def _title(dossier: Dossier) -> str:
    bundle = dossier.bundle
    return "hosts without an app" if bundle is None else f"{bundle_title(bundle)}, {bundle.info_plist}"


def _about(result: AuditResult) -> str:
    lines = [f"Seen {seen_on(result)} (UTC) by atsprobe, as {prose(client(result))}."]
    if result.recording.interrupted:
        lines.append("The audit was interrupted; what was not seen is not proved.")
    unknown = tally(result).not_judged
    if unknown:
        lines.append(f"{count(unknown, 'thing')} {were(unknown)} not judged; see the report of the audit.")
    return " ".join(lines)


@dataclass(frozen=True)
class _Page:
    """The page of one bundle; headings begin at ``level``."""

    result: AuditResult
    dossier: Dossier
    level: str

    def lines(self) -> Iterator[str]:
        strict = [k for k in self.dossier.kept if k.judged and k.judged.status is ExceptionStatus.STRICT]
        by_url = [k for k in self.dossier.kept if k.judged and k.judged.status is ExceptionStatus.REPLACEABLE]
        relaxing = [k for k in self.dossier.kept if k not in strict and k not in by_url]
        yield from self._group("Exceptions that stay", [self._kept(k) for k in relaxing])
        yield from self._group("Exceptions that go once a URL is changed", [self._kept(k) for k in by_url])
        yield from self._group("Exceptions that go", [self._gone(g) for g in self.dossier.gone])
        yield from self._group("Keys that relax nothing", [self._strict(k) for k in strict])

    def _group(self, heading: str, items: Sequence[list[str]]) -> Iterator[str]:
        if items:
            yield from ("", f"{self.level} {heading} ({len(items)})")
            for item in items:
                yield ""
                yield from item

    def _kept(self, kept: Kept) -> list[str]:
        key, judged = kept.key, kept.judged
        lines = [f"{self.level}# {_name(key.domain, key.key, key.value)}", ""]
        lines.append(f"- Status: {_status(kept)}")
        goes_with_a_url = judged is not None and judged.status is ExceptionStatus.REPLACEABLE
        lines.append(_asks(wants_a_reason(key), goes_with_a_url=goes_with_a_url))
        lines += self._measured("Measured", kept.servers)
        return lines if goes_with_a_url else lines + self._would_go_with(kept.servers)

    def _strict(self, kept: Kept) -> list[str]:
        return [f"- {_name(kept.key.domain, kept.key.key, kept.key.value)}: {_status(kept)}"]

    def _gone(self, gone: Gone) -> list[str]:
        judged = gone.judged
        lines = [f"{self.level}# {_name(judged.domain, judged.key, judged.value)}", ""]
        lines.append(f"- Status: {judged.status}: {prose(spoken(judged.reason))}")
        if gone.is_outside:
            lines.append("- It stands at the top of the Info.plist, outside NSAppTransportSecurity.")
        if gone.now_under:
            lines.append(f"- What needs it is named instead: {listed([code(d) for d in gone.now_under], _MOST_NAMES)}.")
        by_default = {server.verdict for server in gone.servers} <= {Verdict.PASS, Verdict.EXEMPT}
        is_proof = (
            judged.status is ExceptionStatus.UNNEEDED and by_default
        )  # else other keys are enough, as the status says
        return lines + self._measured("Proof" if is_proof else "Measured", gone.servers)

    def _measured(self, title: str, servers: Sequence[EndpointResult]) -> list[str]:
        shown, more = most(servers, _MOST_SERVERS)
        lines = [f"- {title}:"] if shown else []
        for server in shown:
            lines.append(f"  - {code(str(server.endpoint))} ({server.endpoint.scheme}): {_by_default(server)}")
            lines += [f"    {line}" for line in self._addresses(server)]
        return lines + ([f"  - and {count(more, 'more server')}"] if more else [])

    def _addresses(self, server: EndpointResult) -> Iterator[str]:
        seen = list(server.observations)
        if server.endpoint.scheme == "http":
            seen += self.result.recording.seen(counterpart(server.endpoint))
        for observation in seen[:_MOST_ADDRESSES]:
            yield from _observed(server, observation)
        if len(seen) > _MOST_ADDRESSES:
            yield f"- and {count(len(seen) - _MOST_ADDRESSES, 'more address')}"
        if not seen:
            yield "- no connection was made"

    def _would_go_with(self, servers: Sequence[EndpointResult]) -> list[str]:
        needy = [s for s in servers if s.verdict in (Verdict.EXCEPTION_REQUIRED, Verdict.BLOCKED)]
        shown, more = most(needy, _MOST_SERVERS)
        lines = []
        for server in shown:
            failing = [f.finding for f in server.findings if f.finding.status == "fail"]
            fix = server_fix(replace(server, minimal_exception=None), failing, self.result.recording)
            if fix:
                lines.append(f"  - {code(str(server.endpoint))}: {prose(fix)}")
        lines += [f"  - and {count(more, 'more server')}"] if more else []
        return ["- It goes once the server is changed:", *lines] if lines else []


def _name(domain: str | None, key: str | None, value: PlistValue | None) -> str:
    parts = [code(shortened(domain))] if domain is not None else []
    if key is not None:
        parts.append(f"{code(shortened(key))} = {code(shown_value(value))}")
    else:
        parts.append("(an empty entry)" if value is None else f"= {code(shown_value(value))}")
    return " ".join(parts)


def _asks(asks: bool, *, goes_with_a_url: bool) -> str:
    if not asks:
        return "- App Review asks for no reason."
    if goes_with_a_url:
        return "- App Review asks for a reason until then."
    return "- App Review asks for a reason: TO BE WRITTEN by whoever knows why the server cannot be changed."


def _status(kept: Kept) -> str:
    if kept.judged is None:
        return f"not declared yet, and needed: {prose(kept.why_needed)}"
    told = f"{kept.judged.status}: {prose(spoken(kept.judged.reason))}"
    return told if kept.change == "as declared" else f"in the place of {code(shown_value(kept.judged.value))}, {told}"


def _by_default(server: EndpointResult) -> str:
    """Say what default ATS makes of a server, and why it fails where it does."""
    failing = [f"{f.finding.requirement}: {f.finding.evidence}" for f in server.findings if f.finding.status == "fail"]
    match server.verdict:
        case Verdict.PASS:
            return "passes default ATS"
        case Verdict.EXEMPT:
            return "is exempt from ATS"
        case Verdict.INCONCLUSIVE:
            return f"could not be judged: {prose(server.reason)}"
    helps = ", and no key helps" if server.verdict is Verdict.BLOCKED else ""
    https = "; its https:// passes" if server.https_verdict is Verdict.PASS else ""
    return f"fails default ATS{helps}: {prose('; '.join(failing) or server.reason)}{https}"


def _observed(server: EndpointResult, observation: Observation) -> Iterator[str]:
    """Tell what was seen on one address: when, the handshake, what is accepted, the certificates."""
    at = observation.observed_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    alone = replace(server, observations=(observation,), references=(), findings=())
    told = "; ".join(f"{label}: {text}" if label != "seen" else text for label, text in of_server(alone))
    yield f"- {prose(told)} ({observation.endpoint.scheme}, port {observation.address.port}, {at})"
    if isinstance(observation, TlsObservation):
        for version, suites in accepted_suites(observation.experiments).items():
            accepted = "accepts" if observation.enumerated else "is seen to accept"
            yield f"  - {accepted} {version.title}: {', '.join(suites)}"
        for certificates in deployments(observation.experiments):
            yield f"  - {_certificate(certificates[0])}"


def _certificate(leaf: Certificate) -> str:
    try:
        names = listed([shortened(n) for n in leaf.subject_alt_names], _MOST_NAMES) or "no host"
        validity = f"{leaf.not_before.date().isoformat()} to {leaf.not_after.date().isoformat()}"
        return (
            f"certificate {code(shortened(leaf.subject))} for {prose(names)}, {leaf.key_type} {leaf.key_bits} bits, "
            f"{leaf.signature_hash}, {validity}, SHA-256 {code(leaf.sha256)}"
        )
    except UnreadableCertificate:
        return f"a certificate that cannot be read, SHA-256 {code(leaf.sha256)}"
