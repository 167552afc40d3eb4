"""How a pipeline tells what it is doing: an observer whose default says nothing."""

from __future__ import annotations

from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Endpoint


class Progress:
    """Hears about a scan while it runs; library users may ignore it. Methods are called from worker threads too."""

    def extracted(self, extraction: Extraction) -> None:
        """Targets are read, and no packet is sent yet; what this raises ends the work."""

    def planned(self, endpoints: int) -> None:
        """Scanning begins, of that many endpoints."""

    def started(self, endpoint: Endpoint) -> None:
        """An endpoint is being scanned."""

    def finished(self, endpoint: Endpoint, *, failed: bool) -> None:
        """An endpoint is done; ``failed`` when it could not be reached or did not answer."""

    def closed(self) -> None:
        """Scanning is over."""

    def asking(self, leaves: int) -> None:
        """Responders and lists are asked about so many certificates; 0 when that is over."""

    def warned(self, text: str) -> None:
        """Something that the user should know while it runs (a name that does not exist)."""
