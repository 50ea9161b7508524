#!/bin/sh
# Installs the hook from this checkout as pre-commit does for users, and runs it on a small repository.
# Needs the package index, so it is not part of `make test`.
#
#   sh tests/try_hook.sh PRE_COMMIT
set -eu
pre_commit=$(command -v "$1") || { echo "try_hook: no such program: $1" >&2; exit 2; }
case $pre_commit in /*) ;; *) pre_commit=$PWD/$pre_commit ;; esac
repository=$(cd "$(dirname "$0")/.." && pwd)
project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
cd "$project"

git init --quiet
cat > bad.py <<'PYTHON'
import pykka


class Till(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            return self.count(message)
        except Exception:
            pass
PYTHON
mkdir generated
cp bad.py generated/excluded.py
sed 's/Exception/KeyError/' bad.py > good.py
echo 'exclude = ["generated/"]' > otplint.toml
git add .

expect() { # STATUS FILE...: the hook ends so on these files, with its output in the file `said`
    wanted=$1; shift
    got=0
    "$pre_commit" try-repo "$repository" otplint --verbose --files "$@" > said 2>&1 || got=$?
    [ "$got" = "$wanted" ] || { cat said; echo "try_hook: exit status $got, not $wanted, on: $*" >&2; exit 1; }
}

expect 1 bad.py good.py generated/excluded.py otplint.toml
grep -q '^bad\.py:8:9: OTP201' said || { cat said; echo "try_hook: bad.py is not reported" >&2; exit 1; }
if grep -q '^generated/' said; then cat said; echo "try_hook: an excluded file is reported" >&2; exit 1; fi
expect 0 good.py
expect 0 generated/excluded.py
echo "the hook works"
