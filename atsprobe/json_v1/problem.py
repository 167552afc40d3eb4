"""What is wrong with a document that should hold a saved audit."""

from __future__ import annotations


class DocumentProblem(ValueError):
    """Says in one line where a document is not what it should be, and what is wrong there."""

    def __init__(self, path: str, what: str) -> None:
        """Hold a JSON path such as ``endpoints[3].host`` (empty: the whole document) and a statement about it."""
        super().__init__(f"{path}: {what}" if path else what)
        self.path = path
        self.what = what
