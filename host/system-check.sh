#!/bin/sh
# What the set-up needs from the system: python3 >= 3.11 with venv and headers, a C compiler, make, git.
# What is missing is installed through apt where that is allowed, else named with the command.
set -u
PYTHON=${PYTHON:-python3}
CC=${CC:-gcc}
mkdir -p build
missing=""
add() { missing="$missing $1"; }

command -v "$CC" >/dev/null 2>&1 || add gcc
printf '#include <math.h>\nint main(void) { return (int)sqrt(0.0); }\n' >build/check.c
if command -v "$CC" >/dev/null 2>&1; then
  "$CC" build/check.c -o build/check -lm 2>/dev/null || add libc6-dev
fi
command -v make >/dev/null 2>&1 || add make
command -v nm >/dev/null 2>&1 || add binutils
command -v "$PYTHON" >/dev/null 2>&1 || add python3
if command -v "$PYTHON" >/dev/null 2>&1; then
  "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || add python3-venv
  include=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["include"])' 2>/dev/null)
  [ -f "$include/Python.h" ] || add python3-dev
fi
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing:$missing"
    apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y $missing >/dev/null \
      || { echo "could not install$missing; run: apt-get update && apt-get install -y$missing" >&2; exit 1; }
  else
    echo "this system lacks$missing; nothing was installed; run: sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
  fi
fi
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "microfactory needs Python 3.11 or newer, but $PYTHON is older; run make with PYTHON=/path/to/a/newer/python3" >&2
  exit 1
}
