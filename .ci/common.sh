# What .ci/run and .ci/nightly share; sourced by them. Nothing outside a temporary directory is written.
# A step runs in a shell of its own; one that fails does not keep the others from running, and the last line names it.
set -euo pipefail
exec </dev/null 3>/dev/null

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
work=$(mktemp -d)
unset PYTHONPATH PYTHONHOME PYTHONWARNINGS PYTHONDONTWRITEBYTECODE PYTEST_ADDOPTS VIRTUAL_ENV NUMBA_CACHE_DIR
export XDG_CACHE_HOME="$work/cache" PIP_CACHE_DIR="$work/cache/pip" PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_PROGRESS_BAR=off PIP_ROOT_USER_ACTION=ignore JUPYTER_PLATFORM_DIRS=1
export PIP_NO_COMPILE=1  # what is imported is compiled then; most never is
developer="$work/developer"
bin="$developer/.venv/bin"

# step NAME COMMAND...: run a command, say how long it took, keep in mind whether it failed
step() {
  local name=$1 began=$SECONDS status ended
  shift
  printf '\n=== %s\n' "$name"
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if [ "$status" -ne 0 ]; then echo "$name" >>"$work/failed"; fi
  ended=$(printf -- '--- %s: %d s%s' "$name" "$((SECONDS - began))" "$([ "$status" -eq 0 ] || echo ', FAILED')")
  echo "$ended"
  echo "$ended" >&3
}

# at_once COMMAND...: run commands, each a row of steps, at the same time; show what each printed when it has ended
at_once() {
  local row
  exec 3>&1  # a step that has ended says so at once
  for row in "$@"; do "$row" >"$work/$row.log" 2>&1 & done
  for row in "$@"; do
    wait -n || echo "one of: $*" >>"$work/failed"
  done
  for row in "$@"; do cat "$work/$row.log"; done
}

# on leaving, however: pytest's closing lines once more, and last what failed
finish() {
  local status=$? failed="" row
  printf '\n'
  for row in $(jobs -p); do kill "$row" 2>/dev/null || true; done
  if [ -s "$work/failed" ]; then failed=$(paste -s -d ';' "$work/failed" | sed 's/;/; /g'); fi
  if [ -s "$work/closing" ]; then cat "$work/closing"; fi
  rm -rf "$work"
  if [ "$status" -ne 0 ]; then failed="$failed${failed:+; }stopped with exit code $status"; fi
  if [ -z "$failed" ]; then
    printf 'all passed in %d s\n' "$SECONDS"
  else
    printf 'FAILED after %d s: %s\n' "$SECONDS" "$failed"
    exit 1
  fi
}
trap finish EXIT

# a clean copy of the checkout, as a fresh clone would be, in $1
copy_to() {
  mkdir -p "$1"
  tar -C "$root" --exclude=./.git --exclude=./.venv --exclude=./build --exclude=./dist --exclude='__pycache__' \
    --exclude='.*_cache' --exclude=./.hypothesis --exclude='*.egg-info' --exclude=./report.pdf -cf - . | tar -C "$1" -xf -
}

# run a command, with the seconds that it took in $took, and those of processor time in $spent
took=0 spent=0
timed() {
  local start=$SECONDS before
  count_spent
  before=$spent
  "$@"
  count_spent
  took=$((SECONDS - start)) spent=$((spent - before))
}

# whole seconds of processor time of all that this shell ran and has ended, in $spent
count_spent() {
  local file="$work/times.$BASHPID"
  times >"$file"
  spent=$(tail -n 1 "$file" | awk -F '[ms ]+' '{ printf "%d", 60 * $1 + $2 + 60 * $3 + $4 }')
}

megabytes() { du -sm "$1" | cut -f 1; }

# run_tests COMMAND...: keep pytest's closing line for the end, and see that tests ran
run_tests() {
  local log status=0
  log=$(mktemp -p "$work")
  "$@" 2>&1 | tee "$log" || status=$?
  grep -E '^=*.*[0-9]+ (passed|failed|error).* in [0-9.]+s' "$log" | tail -n 1 | tr -d '=' | xargs >>"$work/closing" || status=1
  return "$status"
}

# the commands of README.md that set up, as an array
read_commands() {
  mapfile -t commands < <(grep '^python3 -m venv' "$root/README.md")
  if [ "${#commands[@]}" -ne 2 ]; then
    echo "README.md has ${#commands[@]} lines that begin with 'python3 -m venv'; there must be two"
    exit 1
  fi
}

# an environment of the oldest libraries that pyproject.toml allows, in $work/oldest, for a copy of its own in $work/old:
# beside files that another version of numba compiled, both would compile anew all the time
install_oldest() {
  copy_to "$work/old"
  cd "$work/old"
  python3 "$here/lowest.py" pyproject.toml >"$work/lowest.txt"
  python3 -m venv "$work/oldest"
  "$work/oldest/bin/pip" install --quiet -c "$work/lowest.txt" -e '.[test]'
  "$work/oldest/bin/pip" list --format=freeze | grep -E '^(numpy|pandas|scipy|statsmodels|matplotlib|numba|arviz-stats|typer|rich)=' | xargs
}

# tests with the oldest libraries, whose warnings about each other are not ours to mend
test_oldest() {
  cd "$work/old"
  run_tests "$work/oldest/bin/pytest" -q -W ignore::DeprecationWarning "$@"
}

# reference data beside the checkout, where there are any, beside its copies too
if [ -d "$root/../shared" ]; then ln -s "$(cd "$root/../shared" && pwd)" "$work/shared"; fi
python3 --version
