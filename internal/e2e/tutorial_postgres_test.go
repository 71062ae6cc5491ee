//go:build linux

package e2e

import (
	"bufio"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trapline/internal/testenv"
)

const postgres = "/usr/lib/postgresql/15/bin/postgres"

// Each table has joinRows rows, and each row has one match. A hash join inserts one table
// into its hash table and is called once per result row and once more at the end.
const (
	joinRows = 500
	join     = "SELECT count(*) FROM a JOIN b USING (id)"
	queries  = 3
)

// ExecHashJoin is static, and Debian's program is stripped: it names only exported
// functions. The name is in the package postgresql-15-dbgsym. If that is not installed,
// the test creates a debug file with this one symbol.
func TestTutorialPostgres(t *testing.T) {
	debianProgram(t, postgres, "postgresql-15")
	const line = "uprobe:" + postgres + ":ExecHashJoin"
	db := startPostgres(t)
	db.prepare(t)
	debugFile := debugFileOf(t, postgres)
	_, err := os.Stat(debugFile)
	installed := err == nil

	t.Run("without debug symbols", func(t *testing.T) {
		words := append(withDebugDir(t, t.TempDir()), command(t, "record"), "-o", "/dev/null", "-e", line, "-a", "sleep", "1")
		r := run(t, exec.Command(words[0], words[1:]...))
		if r.code != 2 {
			t.Errorf("exit code %d, want 2", r.code)
		}
		for _, want := range []string{"no such function in " + postgres, "it is stripped, and no debug file is installed", "ExecInitHashJoin"} {
			if !strings.Contains(r.stderr, want) {
				t.Errorf("the message does not contain %q:\n%s", want, r.stderr)
			}
		}
	})
	t.Run("exported functions", func(t *testing.T) {
		all := db.recordJoins(t, nil,
			"-e", "uprobe:"+postgres+":ExecInitHashJoin",
			"-e", "uprobe:"+postgres+":ExecHashTableCreate",
			"-e", "uprobe:"+postgres+":ExecHashTableInsert")
		for _, c := range []struct {
			function string
			n        int
			caller   string
		}{
			{"ExecInitHashJoin", queries, "standard_ExecutorStart"},
			{"ExecHashTableCreate", queries, "standard_ExecutorRun"},
			{"ExecHashTableInsert", queries * joinRows, "standard_ExecutorRun"},
		} {
			got := of(all, "uprobe", c.function)
			if len(got) != c.n {
				t.Errorf("%d hits of %s, want %d", len(got), c.function, c.n)
			}
			checkComplete(t, postgres, got, c.function, c.caller, "PostgresMain", "PostmasterMain", "main")
		}
	})
	t.Run("with debug symbols", func(t *testing.T) {
		var within []string
		if !installed {
			within = withDebugFile(t, debugFile, "ExecHashJoin", db.addressOfHashJoin(t))
		}
		all := db.recordJoins(t, within, "-e", line, "-e", "uprobe:"+postgres+":ExecHashTableCreate")
		joins, tables := of(all, "uprobe", "ExecHashJoin"), of(all, "uprobe", "ExecHashTableCreate")
		if len(joins) != queries*(joinRows+1) || len(tables) != queries {
			t.Errorf("%d hits of ExecHashJoin and %d of ExecHashTableCreate, want %d and %d", len(joins), len(tables), queries*(joinRows+1), queries)
		}
		checkComplete(t, postgres, joins, "ExecHashJoin", "standard_ExecutorRun", "PostgresMain", "PostmasterMain", "main")
		checkComplete(t, postgres, tables, "ExecHashTableCreate", "ExecHashJoin", "standard_ExecutorRun", "PostgresMain", "PostmasterMain", "main")
	})
}

// A database is a server that the test started, with its own directory.
type database struct {
	dir    string
	server *exec.Cmd
}

// startPostgres creates a database and starts its server, which listens on a socket in
// the directory only.
func startPostgres(t *testing.T) *database {
	t.Helper()
	dir := publicDir(t) // t.TempDir belongs to root
	owner := &syscall.SysProcAttr{Credential: postgresUser(t), Pdeathsig: syscall.SIGQUIT}
	initdb := exec.Command(filepath.Join(filepath.Dir(postgres), "initdb"), "-D", filepath.Join(dir, "data"), "--auth=trust", "--no-sync", "--no-locale")
	initdb.SysProcAttr = owner
	runOK(t, initdb)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	db := &database{dir: dir}
	db.server = exec.Command(postgres, "-D", filepath.Join(dir, "data"), "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "autovacuum=off",
		// The plan must be a hash join that runs in the process of the session.
		"-c", "enable_mergejoin=off", "-c", "enable_nestloop=off", "-c", "max_parallel_workers_per_gather=0")
	db.server.SysProcAttr = owner
	db.server.Stdout, db.server.Stderr = log, log
	if err := db.server.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(patience, func() { db.server.Process.Signal(syscall.SIGQUIT) })
	t.Cleanup(func() {
		watchdog.Stop()
		db.server.Process.Signal(syscall.SIGQUIT) // stops its processes immediately
		db.server.Wait()
	})
	eventually(t, "answer of the server, see "+log.Name(), func() bool { return run(t, db.psql("SELECT 1")).code == 0 })
	return db
}

// postgresUser returns the user of the server, which refuses to run as root.
func postgresUser(t *testing.T) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// psql returns a command that executes the statements one by one.
func (db *database) psql(statements ...string) *exec.Cmd {
	cmd := exec.Command("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", db.dir, "-U", "postgres")
	for _, s := range statements {
		cmd.Args = append(cmd.Args, "-c", s)
	}
	return cmd
}

// prepare creates the tables and fails unless the plan of their join is one hash join.
func (db *database) prepare(t *testing.T) {
	t.Helper()
	rows := fmt.Sprintf("SELECT generate_series(1, %d) AS id", joinRows)
	runOK(t, db.psql("CREATE TABLE a AS "+rows, "CREATE TABLE b AS "+rows, "ANALYZE a, b"))
	plan := run(t, db.psql("EXPLAIN "+join))
	if plan.code != 0 || strings.Count(plan.stdout, "Hash Join") != 1 {
		t.Fatalf("the plan is not one hash join:\n%s%s", plan.stdout, plan.stderr)
	}
}

// recordJoins records the server while a client runs all queries. The words of within
// precede the command.
func (db *database) recordJoins(t *testing.T, within []string, args ...string) []hit {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trapline.data")
	client := db.psql(slices.Repeat([]string{join}, queries)...).Args
	words := slices.Concat(within, []string{command(t, "record"), "-o", path, "-p", strconv.Itoa(db.server.Process.Pid)}, args, []string{"--"}, client)
	r := run(t, exec.Command(words[0], words[1:]...))
	if want := strings.Repeat(fmt.Sprintln(joinRows), queries); r.code != 0 || r.stdout != want {
		t.Fatalf("record: exit code %d, the queries' results are %q, want %q\n%s", r.code, r.stdout, want, r.stderr)
	}
	all := hits(t, path)
	checkWhole(t, path, len(all))
	return all
}

// addressOfHashJoin returns the address of ExecHashJoin in the file. It reads it from the
// server: ExecInitHashJoin returns a PlanState whose fourth field, ExecProcNode, points to
// the function.
func (db *database) addressOfHashJoin(t *testing.T) uint64 {
	t.Helper()
	all := db.recordJoins(t, nil, "--no-stacks", "-e", "uretprobe:"+postgres+":ExecInitHashJoin function=+24($retval):u64")
	if len(all) != queries {
		t.Fatalf("%d returns of ExecInitHashJoin, want %d", len(all), queries)
	}
	return uint64(all[0].number(t, "function")) - db.loadedAt(t)
}

// loadedAt returns the load address of the server's program. Its children have the same.
func (db *database) loadedAt(t *testing.T) uint64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", db.server.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var start, end, offset uint64
		var protection string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s %x", &start, &end, &protection, &offset); n == 4 && offset == 0 && strings.HasSuffix(lines.Text(), " "+postgres) {
			return start
		}
	}
	t.Fatal("the server has not mapped its program")
	return 0
}

// debugFileOf returns the path at which Debian's packages install the debug file of a
// program.
func debugFileOf(t *testing.T, program string) string {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	note, err := f.Section(".note.gnu.build-id").Data()
	if err != nil || len(note) < 20 {
		t.Fatalf("%s has no build ID: %v", program, err)
	}
	id := hex.EncodeToString(note[16:]) // after the note's header and its owner, GNU
	return filepath.Join("/usr/lib/debug/.build-id", id[:2], id[2:]+".debug")
}

// withDebugFile returns a command prefix that runs a command in a mount namespace where
// /usr/lib/debug has a debug file of the server with a single function.
func withDebugFile(t *testing.T, debugFile, function string, address uint64) []string {
	t.Helper()
	f, err := elf.Open(postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	name := filepath.Join(dir, strings.TrimPrefix(debugFile, debugDir))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	symbol := fmt.Sprintf("%s=.text:%#x,function,local", function, address-f.Section(".text").Addr)
	runOK(t, exec.Command(testenv.Tool(t, "objcopy"), "--only-keep-debug", "--add-symbol", symbol, postgres, name))
	return withDebugDir(t, dir)
}

// debugDir is where debug files are installed.
const debugDir = "/usr/lib/debug"

// withDebugDir returns a command prefix that runs a command in a mount namespace where
// debugDir is another directory.
func withDebugDir(t *testing.T, dir string) []string {
	t.Helper()
	if _, err := os.Stat(debugDir); err != nil {
		testenv.Missing(t, debugDir)
	}
	return []string{testenv.Tool(t, "unshare"), "--mount", "sh", "-c", `mount --bind "$0" ` + debugDir + ` && exec "$@"`, dir}
}
