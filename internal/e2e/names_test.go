//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// nested calls getppid twice: main calls outer, which calls inner, which calls leaf.
const nested = `
#include <unistd.h>
#include <sys/syscall.h>
__attribute__((noinline)) int leaf(int x) { long r; __asm__ volatile("syscall" : "=a"(r) : "0"(SYS_getppid) : "rcx", "r11", "memory"); return x + 3; }
__attribute__((noinline)) int inner(int x) { int r = leaf(x + 1); __asm__ volatile("" ::: "memory"); return r + 1; }
__attribute__((noinline)) int outer(int x) { int r = inner(x + 1); __asm__ volatile("" ::: "memory"); return r + 1; }
int main(int argc, char **argv) { int r = 0; for (int i = 0; i < 2; i++) r += outer(i); if (argc > 1) usleep(300000); return r == 0; }
`

// buildNested compiles nested in a new directory and returns the program's path.
func buildNested(t *testing.T, flags ...string) string {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "nested.c"), filepath.Join(dir, "nested")
	if err := os.WriteFile(source, []byte(nested), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, dir, "gcc", append(append([]string{"-O2"}, flags...), "-o", program, source)...)
	return program
}

func tool(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(testenv.Tool(t, name), args...)
	cmd.Dir = dir
	if r := run(t, cmd); r.code != 0 {
		t.Fatalf("%s: exit code %d\n%s", cmd, r.code, r.stderr)
	}
}

// splitDebug moves a program's symbols and debug information to a file in its directory.
func splitDebug(t *testing.T, program string) (debug string) {
	t.Helper()
	debug = program + ".debug"
	dir := filepath.Dir(program)
	tool(t, dir, "objcopy", "--only-keep-debug", program, debug)
	tool(t, dir, "strip", "--strip-all", program)
	tool(t, dir, "objcopy", "--add-gnu-debuglink="+debug, program)
	return debug
}

// checkNested checks that all stacks are complete and named.
func checkNested(t *testing.T, path string) {
	t.Helper()
	const n = 2
	checkWhole(t, path, n)
	for _, h := range hits(t, path) {
		if !strings.HasPrefix(functions(h.User), "leaf inner outer main ") {
			t.Errorf("the stack is %q", functions(h.User))
		}
		if slices.ContainsFunc(h.User, func(c call) bool { return c.Truncated }) {
			t.Errorf("the stack is cut: %q", functions(h.User))
		}
	}
}

// The process has ended when its functions are named, and so has its mount namespace, the
// only place where the files were.
func TestDebugFilesOfEndedProcesses(t *testing.T) {
	testenv.Root(t)
	for _, place := range []string{"", ".debug"} {
		for _, id := range []string{"-Wl,--build-id=sha1", "-Wl,--build-id=none"} {
			t.Run("beside/"+place+id, func(t *testing.T) {
				program := buildNested(t, "-g", id)
				debug := splitDebug(t, program)
				dir := filepath.Join(filepath.Dir(program), place)
				os.MkdirAll(dir, 0o755)
				if err := os.Rename(debug, filepath.Join(dir, filepath.Base(debug))); err != nil {
					t.Fatal(err)
				}
				checkNested(t, recordOK(t, "-e", getppid, "--", program))
			})
		}
	}
	t.Run("mount namespace", func(t *testing.T) {
		program := buildNested(t, "-g")
		splitDebug(t, program)
		dir := t.TempDir()
		// The shell outlives the program by a moment, as container runtimes do.
		script := `mount -t tmpfs none "$2" && cp "$1" "$1.debug" "$2" && "$2/nested" && sleep 0.3`
		checkNested(t, recordOK(t, "-e", getppid, "--comm", "nested", "--", testenv.Tool(t, "unshare"), "-m", "sh", "-c", script, "sh", program, dir))
	})
}

// A stripped program's mini debug info names it.
func TestMiniDebugInfo(t *testing.T) {
	testenv.Root(t)
	program := buildNested(t)
	dir, mini := filepath.Dir(program), program+".mini"
	tool(t, dir, "objcopy", "-S", "--keep-symbol=main", "--keep-symbol=outer", "--keep-symbol=inner", "--keep-symbol=leaf", program, mini)
	tool(t, dir, "xz", mini)
	tool(t, dir, "strip", "--strip-all", program)
	tool(t, dir, "objcopy", "--add-section=.gnu_debugdata="+mini+".xz", program)
	checkNested(t, recordOK(t, "-e", getppid, "--", program))
}

// The only unwind tables are in a debug file, or in mini debug info as Android makes it.
func TestUnwindTablesInDebugFiles(t *testing.T) {
	testenv.Root(t)
	flags := []string{"-g", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"}
	for _, id := range []string{"-Wl,--build-id=sha1", "-Wl,--build-id=none"} {
		t.Run("debug file"+id, func(t *testing.T) {
			program := buildNested(t, append(flags, id)...)
			splitDebug(t, program)
			checkNested(t, recordOK(t, "-e", getppid, "--", program))
		})
	}
	t.Run("mini debug info", func(t *testing.T) {
		program := buildNested(t, flags...)
		dir, mini := filepath.Dir(program), program+".mini"
		tool(t, dir, "objcopy", "--only-keep-debug", program, mini)
		tool(t, dir, "objcopy", "--remove-section=.debug_info", "--remove-section=.debug_line", "--remove-section=.debug_str", mini)
		tool(t, dir, "xz", mini)
		tool(t, dir, "strip", "--strip-all", program)
		tool(t, dir, "objcopy", "--add-section=.gnu_debugdata="+mini+".xz", program)
		checkNested(t, recordOK(t, "-e", getppid, "--", program))
	})
}

// A program that runs from a memfd has names and complete stacks. It lives for a moment
// after its hits, because nothing else keeps its file.
func TestProgramsInMemory(t *testing.T) {
	testenv.Root(t)
	program := buildNested(t)
	source := program + "-launcher.c"
	if err := os.WriteFile(source, []byte(`
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>
int main(int argc, char **argv) {
	int in = open(argv[1], O_RDONLY), out = memfd_create("nested", 0);
	while (sendfile(out, in, 0, 1 << 20) > 0) ;
	char *args[] = {"nested", "linger", 0}, *env[] = {0};
	fexecve(out, args, env);
	return 9;
}`), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, filepath.Dir(program), "gcc", "-o", program+"-launcher", source)
	path := recordOK(t, "-e", getppid, "--", program+"-launcher", program)
	checkNested(t, path)
	for _, h := range hits(t, path) {
		if got := h.User[0].Image; got != "/memfd:nested" {
			t.Errorf("the image is %q", got)
		}
	}
}

// A program is replaced or overwritten after its hits and before they are named. Its hits
// never get names of the new file.
func TestReplacedPrograms(t *testing.T) {
	testenv.Root(t)
	for name, replace := range map[string]string{
		"replaced":               `mv "$2" "$1"`,
		"deleted":                `rm "$1"`,
		"overwritten":            `cat "$2" > "$1"`,
		"overwritten, same time": `cp -p "$1" "$1.old"; cat "$2" > "$1"; touch -r "$1.old" "$1"`,
	} {
		t.Run(name, func(t *testing.T) {
			program := buildNested(t)
			other := buildNested(t, "-Dleaf=fake1", "-Dinner=fake2", "-Douter=fake3", "-Dmain=fake4", "-nostartfiles", "-Wl,-e,fake4")
			r := startRecord(t, "-e", getppid, "--comm", "nested")
			tool(t, filepath.Dir(program), program)
			r.hasHits(t, "hits of the program", func(all []hit) bool { return len(all) == 2 })
			tool(t, filepath.Dir(program), "sh", "-c", replace, "sh", program, other)
			r.stopOK(t)
			for _, h := range hits(t, r.path) {
				got := functions(h.User)
				if strings.Contains(got, "fake") {
					t.Errorf("the stack has names of the new file: %q", got)
				}
				if kept := name == "replaced" || name == "deleted"; kept && !strings.HasPrefix(got, "leaf inner outer main ") {
					t.Errorf("the stack is %q", got)
				}
			}
		})
	}
}
