#!/bin/bash
# Records programs under load with --verify-stacks=1. Each user stack that the BPF
# programs walk by rules is also unwound exactly, and each kernel stack also by the
# kernel's own unwinder. Prints the result for each program and fails if two stacks
# differ. Names the programs that are not installed. Run as root. SECONDS_EACH is the time
# for which servers are under load.
set -euo pipefail
cd "$(dirname "$0")/.."
record=$PWD/bin/record report=$PWD/bin/report
seconds=${SECONDS_EACH:-5}
dir=$(mktemp -d)
servers=()
finish() {
	for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait
	rm -rf "$dir"
}
trap finish EXIT
chmod 755 "$dir"
failed=

# System calls (where user registers are saved), context switches, and libc functions at
# their first instructions, where the function has no frame yet.
events=(-e raw_syscalls:sys_enter -e sched:sched_switch -e cpu-clock -F 997
	-e uprobe:libc:malloc -e uprobe:libc:free -e uprobe:libc:realloc)

verify() { # name, then arguments of record
	local name=$1
	shift
	local status=0
	"$record" --call-graph dwarf --verify-stacks 1 -m 64M -o "$dir/capture" "$@" >"$dir/out" 2>"$dir/log" || status=$?
	if ((status)); then
		printf '%-10s failed:\n' "$name"
		cat "$dir/log"
		failed=yes
		return
	fi
	printf '%-10s %s\n' "$name" "$(sed -n 's/^record: \([0-9,]* hits\) .*/\1/p' "$dir/log")"
	sed -n 's/^record: \(stacks verified.*\)/           \1/p' "$dir/log"
	"$report" -i "$dir/capture" -q --no-children -g none --header-only 2>/dev/null | sed -n 's/^# Stacks: /           captured: /p'
	if ! grep -q 'stacks verified: [0-9,]* user, 0 different; [0-9,]* kernel, 0 different' "$dir/log"; then
		failed=yes
	fi
}

have() { # program
	command -v "$1" >/dev/null || { printf '%-10s not installed\n' "$1"; return 1; }
}

have go && verify go "${events[@]}" -- env GOCACHE="$dir/go-cache" go build -o "$dir/gofmt" cmd/gofmt

have sqlite3 && verify sqlite3 "${events[@]}" -- sqlite3 "$dir/db" '
	CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c REAL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000)
	INSERT INTO t SELECT i, hex(randomblob(20)), i*0.5 FROM n;
	CREATE INDEX tb ON t(b);
	SELECT count(*), sum(c) FROM t WHERE b > "8" GROUP BY substr(b,1,2) ORDER BY 2 DESC;
	VACUUM;'

have python3 && verify python3 "${events[@]}" -- python3 -c '
import json, re, threading, zlib, hashlib, tempfile
def work(n):
    for i in range(n):
        d = json.loads(json.dumps({str(k): [k] * 5 for k in range(50)}))
        re.sub(r"(\d+)", lambda m: m[1] * 2, str(d))
        zlib.compress(str(d).encode()); hashlib.sha256(str(d).encode()).digest()
        with tempfile.TemporaryFile() as f:
            f.write(b"x" * 1000)
threads = [threading.Thread(target=work, args=(50,)) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
sorted(range(100000), key=lambda x: -x)'

if have nginx && have curl; then
	mkdir "$dir/www"
	head -c 100000 /dev/zero >"$dir/www/file"
	cat >"$dir/nginx.conf" <<-EOF
		daemon off; pid $dir/nginx.pid; error_log $dir/error.log; worker_processes 2;
		events { worker_connections 64; }
		http { access_log $dir/access.log; server { listen 127.0.0.1:18080; root $dir/www; gzip on; } }
	EOF
	nginx -c "$dir/nginx.conf" 2>/dev/null &
	servers+=($!)
	sleep 1
	(while curl -s -o /dev/null --compressed "http://127.0.0.1:18080/file?[1-200]"; do :; done) &
	servers+=($!)
	verify nginx "${events[@]}" -p "$(pgrep -d, -P "$(cat "$dir/nginx.pid")")" --duration "${seconds}s"
	kill "${servers[@]}"
	wait
	servers=()
fi

pg=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
if [ -x "$pg/postgres" ] && have pgbench; then
	mkdir "$dir/pg"
	chown postgres "$dir/pg"
	as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
	as_postgres "$pg/initdb" -D "$dir/pg" >/dev/null
	as_postgres "$pg/postgres" -D "$dir/pg" -p 15432 -k "$dir/pg" -c listen_addresses= 2>"$dir/pg.log" &
	servers+=($!)
	until as_postgres pgbench -h "$dir/pg" -p 15432 -i -q -s 2 postgres >/dev/null 2>&1; do sleep 0.2; done
	as_postgres pgbench -h "$dir/pg" -p 15432 -c 4 -T $((seconds + 2)) postgres >/dev/null 2>&1 &
	client=$!
	verify postgres "${events[@]}" -u postgres --duration "${seconds}s"
	wait "$client"
else
	printf '%-10s not installed\n' postgres
fi

if [ -n "$failed" ]; then
	echo "stacks differed, or a recording failed"
	exit 1
fi
