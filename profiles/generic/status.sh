#!/bin/sh
# `running`, `success` or `failed` for a job's number: Grid Engine, LSF, PBS Pro.
job=$1
if command -v qacct >/dev/null; then
    if state=$(qstat -j "$job" 2>/dev/null); then
        case $state in
            *"error reason"*) echo failed ;;
            *) echo running ;;
        esac
    else
        # The books are kept some seconds after the end: no entry yet means wait.
        qacct -j "$job" 2>/dev/null | awk '
            $1 == "failed" { failed = $2 } $1 == "exit_status" { code = $2; seen = 1 }
            END { print !seen ? "running" : failed == 0 && code == 0 ? "success" : "failed" }'
    fi
elif command -v bjobs >/dev/null; then
    case $(bjobs -noheader -o stat "$job") in
        DONE) echo success ;;
        EXIT) echo failed ;;
        *) echo running ;;
    esac
else
    qstat -xf "$job" | awk '
        $1 == "job_state" { state = $3 } $1 == "Exit_status" { code = $3 }
        END { print state != "F" ? "running" : code == 0 ? "success" : "failed" }'
fi
