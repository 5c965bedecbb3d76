from native.runs_reference import share_runs as share_runs
