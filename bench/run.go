//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A finished command.
type finished struct {
	wall, cpu time.Duration // cpu: user and system time, of children waited for too
	maxRSS    float64       // MiB
	stdout    string        // of record when it is watched: what it said
}

// run runs a command that must succeed.
func run(name string, args ...string) (finished, error) {
	return runCommand(exec.Command(name, args...))
}

func runCommand(cmd *exec.Cmd) (finished, error) {
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return finished{}, fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return finish(cmd, time.Since(start), stdout.String()), nil
}

func finish(cmd *exec.Cmd, wall time.Duration, stdout string) finished {
	s := cmd.ProcessState
	return finished{
		wall: wall, cpu: s.UserTime() + s.SystemTime(),
		maxRSS: float64(s.SysUsage().(*syscall.Rusage).Maxrss) / 1024, stdout: stdout,
	}
}

// discard runs a command without keeping what it prints.
func discard(name string, args ...string) (finished, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdout = io.Discard
	return runCommand(cmd)
}

func (b *bench) record() string            { return filepath.Join(b.bin, "record") }
func (b *bench) report() string            { return filepath.Join(b.bin, "report") }
func (b *bench) target(name string) string { return filepath.Join(b.targets, name) }
func (b *bench) file(name string) string   { return filepath.Join(b.tmp, name) }
func median(values []float64) float64      { slices.Sort(values); return values[len(values)/2] }

// An account is how the hits of a capture are accounted for.
type account struct{ recorded, lost, cut float64 } // cut: stacks that are not complete

// account reads a capture's account through report --json.
func (b *bench) account(path string) (account, error) {
	out, err := run(b.report(), "-i", path, "--json", "-s", "comm", "-g", "none")
	if err != nil {
		return account{}, err
	}
	var doc struct {
		Quality struct {
			Account map[string]float64 `json:"account"`
			Cut     map[string]float64 `json:"cut"`
		} `json:"quality"`
	}
	if err := json.Unmarshal([]byte(out.stdout), &doc); err != nil {
		return account{}, err
	}
	var a account
	for cause, n := range doc.Quality.Account {
		switch cause {
		case "recorded":
			a.recorded = n
		case "filtered", "sampled out":
		default:
			a.lost += n
		}
	}
	for _, n := range doc.Quality.Cut {
		a.cut += n
	}
	return a, nil
}

var samplesLine = regexp.MustCompile(`SAMPLE events: +(\d+)`)

// perfRecorded counts the samples of a perf.data file.
func perfRecorded(path string) (recorded float64, err error) {
	out, err := run("perf", "report", "-i", path, "--stats")
	if err != nil {
		return 0, err
	}
	m := samplesLine.FindStringSubmatch(out.stdout)
	if m == nil {
		return 0, fmt.Errorf("perf report --stats names no samples:\n%s", out.stdout)
	}
	return strconv.ParseFloat(m[1], 64)
}

func sizeOf(path string) (float64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return float64(st.Size()), nil
}

// firstNumber is what the counter prints with -T: ns a call.
func firstNumber(s string) (float64, error) {
	f := strings.Fields(s)
	if len(f) == 0 {
		return 0, fmt.Errorf("the target printed nothing")
	}
	return strconv.ParseFloat(f[0], 64)
}
