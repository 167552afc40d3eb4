"""Which files of a source tree speak of something else than what the app loads: tests, documents, licences, build tools,
other platforms.
"""

from __future__ import annotations

import re

from atsprobe.extract.containers.left_out import is_in_content

_TEST_FOLDERS = frozenset(
    (
        *("test", "tests", "testing", "unittests", "uitests", "__tests__", "__mocks__", "spec", "specs", "e2e"),
        *("integration_test", "test_driver", "cypress", "playwright"),
    )
)
_TEST_TARGET = re.compile(r".*[a-z0-9_](?:UnitTests?|UITests?|Tests|IntegrationTests|TestHost)\Z")
_TEST_FILE = re.compile(r".*(?:[._-](?:test|spec|stories)\.[A-Za-z]+|_test\.dart|Tests\.(?:swift|m|mm))\Z")

_DOCUMENT_FOLDERS = frozenset({"doc", "docs", "documentation", "javadoc", "man"})
_DOCUMENT = re.compile(
    r"(?:readme|changelog|changes|history|contributing|contributors|authors|code[_-]of[_-]conduct|security|todo)(?:\.[a-z]+)*\Z"
    r"|\.env\.(?:example|sample|template|dist)\Z",
    re.IGNORECASE,
)
_LICENCE = re.compile(
    r"(?:un)?(?:licen[cs]es?|notices?|copying|copyright|patents|credits|eula|third[_-]?party.*|.*acknowledge?ments?)(?:[._-].*)?\Z",
    re.IGNORECASE,
)
_BUILD_FOLDERS = frozenset({"fastlane", "gradle"})
_BUILD = re.compile(
    r"(?:\.(?!env).*"  # hidden files belong to tools, but .env to the app
    r"|(?:package|package-lock|npm-shrinkwrap|composer|lerna|nx|turbo|renovate|bower|.*\.podspec|[jt]sconfig.*)\.json"
    r"|(?:pnpm-lock|pubspec|analysis_options|dependabot|codecov|docker-compose.*|mkdocs|project|l10n)\.ya?ml"
    r"|.*\.lock|plugin\.xml|.*\.gradle|(?:local|gradle)\.properties"
    r"|(?:podfile|gemfile|cartfile|rakefile|makefile|dockerfile|brewfile|fastfile|appfile|dangerfile|procfile)(?:\..*)?"
    r"|package(?:@swift-[\d.]+)?\.swift"
    r"|(?:metro|babel|jest|webpack|vite|vitest|rollup|eslint|prettier|postcss|tailwind|react-native)\.(?:config|setup)\..*)\Z",
    re.IGNORECASE,
)

_OTHER_PLATFORM = re.compile(r".+\.(?:android|web|windows|macos|win32)\.[cm]?[jt]sx?\Z")
_PACKAGES = frozenset({"package.json", "package-lock.json", "bower.json"})

IN_A_TEST = "in a test"
IN_A_DOCUMENT = "in a document about the project"
IN_A_LICENCE = "in the text of a licence"
FOR_ANOTHER_PLATFORM = "in code for another platform"
IN_A_PACKAGE = "in the description of a package"
IN_BUILD_TOOLS = "in the configuration of a build tool"


def aside_reason(path: str) -> str | None:
    """Say why a host that stands in a file of this path, in the target, is not taken for one that the app loads from.

    None for every other file. In a bundle that is installed only licences and descriptions of packages are told: its other
    files run, whatever their names.
    """
    *folders, name = path.split("/")
    if _LICENCE.match(name):
        return IN_A_LICENCE
    if is_in_content(path):
        return IN_A_PACKAGE if name in _PACKAGES else None
    if is_in_test(path):
        return IN_A_TEST
    if _OTHER_PLATFORM.match(name):
        return FOR_ANOTHER_PLATFORM
    if _BUILD.match(name) or any(f in _BUILD_FOLDERS for f in folders):
        return IN_BUILD_TOOLS
    if _DOCUMENT.match(name) or any(f.lower() in _DOCUMENT_FOLDERS for f in folders):
        return IN_A_DOCUMENT
    return None


def is_in_test(path: str) -> bool:
    """Say whether a file of sources belongs to a target of tests."""
    *folders, name = path.split("/")
    if is_in_content(path):
        return False
    return bool(_TEST_FILE.match(name)) or any(f.lower() in _TEST_FOLDERS or _TEST_TARGET.match(f) for f in folders)
