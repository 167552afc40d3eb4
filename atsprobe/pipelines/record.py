"""Look at an app and its servers: targets in, a recording out, nothing concluded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO, TypeVar

from atsprobe.certificate_files import CertificateFileProblem, apple_roots, read_roots
from atsprobe.extract.extract import extract
from atsprobe.model.endpoint import Confidence
from atsprobe.model.handshake import Offer
from atsprobe.model.observation import UNRESOLVED_IN_WORDS, Observation, Resolution, Unreachable, Unresolved
from atsprobe.model.recording import Recording
from atsprobe.pipelines.plan import plan, split_by_confidence, without_ignored
from atsprobe.pipelines.progress import Progress
from atsprobe.scan.task import ScanTask
from atsprobe.settings import Settings, UsageProblem

if TYPE_CHECKING:
    from atsprobe.resolve import ResolveOptions

_Given = TypeVar("_Given")
_Read = TypeVar("_Read")


def record(
    targets: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
    *,
    names_are_given: bool = False,
    stdin: TextIO | None = None,
    offers: Sequence[Offer] | None = None,
) -> Recording:
    """Extract, resolve and scan; interrupted by Ctrl-C, give what was seen until then.

    ``names_are_given``: a name that ``--resolve`` and ``--connect-to`` do not give does not exist, and no DNS server is asked.
    ``offers`` are the hellos whose outcomes must be known, in order; None for those that decide about loads and keys.
    Raises UsageProblem for an option that cannot be taken.
    """
    progress = progress or Progress()
    started = datetime.now(UTC)
    roots = _installed_roots(settings)
    options = _resolve_options(settings, names_are_given=names_are_given)
    extraction, not_audited = split_by_confidence(extract(targets, stdin=stdin), Confidence(settings.min_confidence))
    extraction, ignored = without_ignored(extraction, settings.ignored)
    progress.extracted(extraction)
    planned = plan(extraction, settings, offers)
    resolutions: tuple[Resolution, ...] = ()
    observations: tuple[Observation, ...] = ()
    interrupted = False
    if planned.names:
        from atsprobe.resolve import resolve

        try:
            resolutions = resolve(planned.names, options)
            _warn(resolutions, progress)
            observations, interrupted = _scan(planned.tasks(resolutions, settings), settings, progress)
            if settings.check_revocation and not interrupted:
                observations, interrupted = _check_revocation(observations, roots, settings, options, progress)
        except KeyboardInterrupt:
            interrupted = True
    return Recording(
        extraction=extraction,
        resolutions=resolutions,
        observations=observations,
        installed_roots=roots,
        started_at=started,
        finished_at=datetime.now(UTC),
        interrupted=interrupted,
        assume_complete=settings.assume_complete,
        families=settings.families,
        not_audited=not_audited,
        quick=settings.quick,
        ignored=ignored,
    )


def check_roots(settings: Settings) -> None:
    """Raise UsageProblem for a file of roots that cannot be read."""
    _installed_roots(settings)


def check_names(settings: Settings) -> None:
    """Raise UsageProblem for what is said of names and addresses (``resolve``, ``connect_to``, ``nameserver``) and is not so."""
    _resolve_options(settings, names_are_given=False)


def _installed_roots(settings: Settings) -> tuple[bytes, ...]:
    try:
        return tuple(dict.fromkeys(root for path in settings.ca_files for root in read_roots(path)))
    except CertificateFileProblem as problem:
        raise UsageProblem(str(problem), getattr(problem, "hint", "")) from problem


def _resolve_options(settings: Settings, *, names_are_given: bool) -> ResolveOptions:
    from atsprobe.resolve import ResolveOptions, parse_connect_to, parse_nameserver, parse_resolve

    return ResolveOptions(
        resolve=_parsed("--resolve", "HOST:PORT:ADDRESS, as curl has it", parse_resolve, settings.resolve),
        connect_to=_parsed(
            "--connect-to", "HOST:PORT:ADDRESS:PORT, as curl has it", parse_connect_to, settings.connect_to
        ),
        nameserver=None
        if settings.nameserver is None
        else _parsed("--nameserver", "ADDRESS or ADDRESS:PORT", parse_nameserver, settings.nameserver),
        families=settings.families,
        timeout=settings.timeout,
        only_given=names_are_given,
    )


def _parsed(option: str, form: str, parse: Callable[[_Given], _Read], given: _Given) -> _Read:
    """Read what an option was given. Raises UsageProblem that names the option, and its form as the hint."""
    try:
        return parse(given)
    except ValueError as problem:
        raise UsageProblem(f"{option}: {problem}", form) from problem


def _warn(resolutions: Sequence[Resolution], progress: Progress) -> None:
    said: dict[str, None] = {}
    for resolution in resolutions:
        if isinstance(resolution.outcome, Unresolved):
            said[f"{resolution.host}: {UNRESOLVED_IN_WORDS[resolution.outcome.reason]}"] = None
    for text in said:
        progress.warned(text)


def _scan(tasks: Sequence[ScanTask], settings: Settings, progress: Progress) -> tuple[tuple[Observation, ...], bool]:
    from atsprobe.scan.scan import scan_in_threads

    done: dict[int, tuple[Observation, ...]] = {}
    index = {id(task): i for i, task in enumerate(tasks)}
    stop = threading.Event()

    def finished(task: ScanTask, seen: tuple[Observation, ...]) -> None:
        done[index[id(task)]] = seen
        progress.finished(task.endpoint, failed=any(isinstance(o, Unreachable) for o in seen))

    progress.planned(len(tasks))
    interrupted = False
    try:
        scan_in_threads(
            tasks,
            jobs=settings.jobs,
            on_started=lambda task: progress.started(task.endpoint),
            on_finished=finished,
            stop=stop,
        )
    except KeyboardInterrupt:
        stop.set()
        interrupted = True
    finally:
        progress.closed()
    seen = [o for i, task in enumerate(tasks) for o in done.get(i) or (_interrupted(task),)]
    return _one_for_each_address(seen), interrupted


def _check_revocation(
    observations: tuple[Observation, ...],
    roots: tuple[bytes, ...],
    settings: Settings,
    options: ResolveOptions,
    progress: Progress,
) -> tuple[tuple[Observation, ...], bool]:
    from atsprobe.pipelines.revocation import check_revocation
    from atsprobe.resolve import resolve

    issuers = (*apple_roots().public, *roots)
    return check_revocation(observations, issuers, settings, lambda names: resolve(names, options), progress)


def _interrupted(task: ScanTask) -> Unreachable:
    return Unreachable(task.endpoint, task.address, datetime.now(UTC), "interrupted")


def _one_for_each_address(seen: Sequence[Observation]) -> tuple[Observation, ...]:
    first: dict[tuple[object, str], Observation] = {}
    for observation in seen:
        first.setdefault((observation.endpoint, observation.address.ip), observation)
    return tuple(first.values())
