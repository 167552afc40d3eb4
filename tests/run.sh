#!/bin/sh
# Runs the tests on a machine that has Python and nothing else; arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v gnutls-serv >/dev/null 2>&1 || missing="$missing gnutls-bin"
command -v openssl >/dev/null 2>&1 || missing="$missing openssl"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
if [ -n "$missing" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "tests: please install:$missing" >&2
    exit 2
  fi
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  # the tests start nginx themselves; keep the package from starting it on port 80
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q
  # shellcheck disable=SC2086
  $sudo apt-get install -y -q --no-install-recommends $missing
fi

python="${PYTHON:-python3}"
if [ ! -x .venv/bin/python ]; then
  "$python" -m venv .venv
fi
if [ ! -e .venv/.stamp ] || [ pyproject.toml -nt .venv/.stamp ]; then
  .venv/bin/pip install -q --disable-pip-version-check -e '.[test,lint]'
  touch .venv/.stamp
fi
exec .venv/bin/pytest "$@"
