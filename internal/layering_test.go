package internal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"trapline/internal/testenv"
)

// dependencies returns all packages that a package of this module is built from,
// for the given operating system.
func dependencies(t *testing.T, goos, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", pkg)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
	}
	return strings.Fields(string(out))
}

// forbidden are the packages, and those below them, that a package must not be
// built from. Reading captures needs no kernel: what analyses them runs anywhere.
var forbidden = map[string][]string{
	"trapline/format":            {"trapline/capture", "trapline/bpf", "trapline/internal", "trapline/analysis", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/internal/expr/...": {"trapline/capture", "trapline/bpf", "trapline/analysis", "trapline/format", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/internal/naming":   {"trapline/capture", "trapline/bpf", "trapline/analysis", "trapline/format", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/internal/symbol":   {"trapline/capture", "trapline/bpf", "trapline/analysis", "trapline/format", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/analysis/...":      {"trapline/capture", "trapline/bpf", "trapline/cmd", "github.com/cilium/ebpf", "github.com/spf13/pflag", "golang.org/x/term"},
	"trapline/cmd/report":        {"trapline/capture", "trapline/bpf", "github.com/cilium/ebpf"},
	"trapline/cmd/convert":       {"trapline/capture", "trapline/bpf", "github.com/cilium/ebpf"},
	"trapline/cmd/internal/cli":  {"trapline/capture", "trapline/bpf", "trapline/format", "trapline/analysis", "github.com/cilium/ebpf"},
	"trapline/capture/event":     {"trapline/bpf", "trapline/capture/layout", "trapline/capture/value", "trapline/capture/probe", "trapline/internal/symbol", "trapline/analysis", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/capture/usdt":      {"trapline/bpf", "trapline/capture/event", "trapline/capture/program", "trapline/internal", "trapline/analysis", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/capture/layout":    {"trapline/capture/event", "trapline/capture/value", "trapline/capture/probe", "trapline/internal/symbol", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/value":     {"trapline/capture/probe", "trapline/capture/host", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/program":   {"trapline/bpf", "trapline/capture/value", "trapline/capture/probe", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/host":      {"trapline/bpf", "trapline/capture/event", "trapline/capture/layout", "trapline/capture/locate", "trapline/capture/probe", "trapline/capture/ring", "trapline/format", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/ring":      {"trapline/capture/event", "trapline/capture/host", "trapline/capture/images", "trapline/capture/layout", "trapline/capture/probe", "trapline/format", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/predicate": {"trapline/capture/attach", "trapline/capture/host", "trapline/capture/images", "trapline/capture/ring", "trapline/capture/teach", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/images":    {"trapline/capture/attach", "trapline/capture/predicate", "trapline/capture/probe", "trapline/capture/teach", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/teach":     {"trapline/capture/attach", "trapline/capture/predicate", "trapline/capture/probe", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/attach":    {"trapline/capture/images", "trapline/capture/teach", "trapline/analysis", "trapline/cmd"},
	"trapline/capture/probe":     {"trapline/analysis", "trapline/cmd"},
	"trapline/capture/container": {"trapline/bpf", "trapline/capture/probe", "trapline/format", "trapline/internal", "trapline/analysis", "trapline/cmd", "github.com/cilium/ebpf"},
	"trapline/capture":           {"trapline/analysis", "trapline/cmd"},
	"trapline/bpf":               {"trapline/capture", "trapline/format", "trapline/analysis", "trapline/cmd"},

	"trapline/internal/debuginfo": {"trapline/internal/symbol", "trapline/internal/gotable", "trapline/capture", "trapline/bpf", "trapline/analysis", "trapline/format", "trapline/cmd", "github.com/cilium/ebpf"},
}

func TestLayers(t *testing.T) {
	for pkg, banned := range forbidden {
		dir := strings.TrimSuffix(strings.TrimPrefix(pkg, "trapline/"), "/...")
		if files, _ := filepath.Glob(filepath.Join("..", dir, "*.go")); len(files) == 0 {
			t.Errorf("%s: there is no such package", pkg)
			continue
		}
		for _, dep := range dependencies(t, "linux", pkg) {
			for _, b := range banned {
				if dep == b || strings.HasPrefix(dep, b+"/") {
					t.Errorf("%s is built from %s", pkg, dep)
				}
			}
		}
	}
}

// leaves are packages that import nothing else of this module.
var leaves = []string{"trapline/internal/addrmap", "trapline/internal/cursor", "trapline/internal/glob", "trapline/internal/kallsyms", "trapline/internal/meter", "trapline/internal/x86"}

func TestLeaves(t *testing.T) {
	for _, pkg := range leaves {
		for _, dep := range dependencies(t, "linux", pkg) {
			if strings.HasPrefix(dep, "trapline/") && dep != pkg || strings.Contains(dep, "cilium/ebpf") {
				t.Errorf("%s is built from %s", pkg, dep)
			}
		}
	}
}

// The format must be readable by programs that want nothing else of this module.
func TestFormatImports(t *testing.T) {
	for _, dep := range dependencies(t, "linux", "trapline/format/...") {
		// The standard library has no dots in the first element of its paths;
		// its own vendored packages are below "vendor".
		first, _, _ := strings.Cut(dep, "/")
		ours := strings.HasPrefix(dep+"/", "trapline/format/")
		if strings.Contains(first, ".") && !strings.HasPrefix(dep+"/", "github.com/klauspost/compress/") ||
			first == "trapline" && !ours {
			t.Errorf("format is built from %s", dep)
		}
	}
}

// Captures are read on machines of any kind.
func TestOfflineCommandsBuildElsewhere(t *testing.T) {
	testenv.Slow(t)
	for _, goos := range []string{"darwin", "windows"} {
		for _, pkg := range []string{"trapline/cmd/report", "trapline/cmd/convert", "trapline/internal/naming"} {
			cmd := exec.Command("go", "vet", pkg)
			cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", cmd, err, out)
			}
		}
	}
}
