//go:build linux

package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// A hit is one line of convert -t ndjson --stacks.
type hit struct {
	Time   uint64         `json:"time"`
	Comm   string         `json:"comm"`
	PID    int            `json:"pid"`
	TID    int            `json:"tid"`
	CPU    int            `json:"cpu"`
	Probe  string         `json:"probe"`
	Args   map[string]any `json:"args"`
	Kernel []call         `json:"kernel_stack"`
	User   []call         `json:"user_stack"`
}

type call struct {
	Function  string `json:"function"`
	Image     string `json:"image"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Inlined   bool   `json:"inlined"`
	Truncated bool   `json:"truncated"`
}

// number returns an integer argument. JSON numbers are decoded as float64, which is
// exact for the values that targets pass.
func (h *hit) number(t testing.TB, name string) int64 {
	t.Helper()
	v, ok := h.Args[name].(float64)
	if !ok {
		t.Fatalf("%s: argument %s is %v", h.Probe, name, h.Args[name])
	}
	return int64(v)
}

// hits reads the hits of a capture with convert.
func hits(t testing.TB, path string) []hit {
	t.Helper()
	r := run(t, exec.Command(command(t, "convert"), "-i", path, "-t", "ndjson", "--stacks"))
	if r.code != 0 {
		t.Fatalf("convert: exit code %d\n%s", r.code, r.stderr)
	}
	var all []hit
	d := json.NewDecoder(strings.NewReader(r.stdout))
	for d.More() {
		var h hit
		if err := d.Decode(&h); err != nil {
			t.Fatalf("convert -t ndjson: %v", err)
		}
		all = append(all, h)
	}
	return all
}

// where returns the hits that satisfy the condition.
func where(all []hit, keep func(*hit) bool) []hit {
	var kept []hit
	for i := range all {
		if keep(&all[i]) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// of returns the hits of a probe by its kind and function.
func of(all []hit, kind, function string) []hit {
	return where(all, func(h *hit) bool {
		return strings.HasPrefix(h.Probe, kind+":") && strings.HasSuffix(h.Probe, ":"+function)
	})
}

// A quality is the object of that name in report --json.
type quality struct {
	Hits     uint64            `json:"hits"`
	Account  map[string]uint64 `json:"account"`
	Accounts []struct {
		Probe  string            `json:"probe"`
		CPU    int               `json:"cpu"`
		Counts map[string]uint64 `json:"counts"`
	} `json:"accounts"`
	Damage    []any    `json:"damage"`
	Truncated []string `json:"truncated"`
}

func qualityOf(t testing.TB, path string) quality {
	t.Helper()
	r := run(t, exec.Command(command(t, "report"), "-i", path, "--json"))
	var doc struct {
		Quality quality `json:"quality"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &doc); r.code != 0 || err != nil {
		t.Fatalf("report --json: exit code %d, %v\n%s", r.code, err, r.stderr)
	}
	return doc.Quality
}

// total returns the number of hits in the account: recorded, lost and left out.
func (q *quality) total() (n uint64) {
	for _, c := range q.Account {
		n += c
	}
	return n
}

// checkWhole fails unless the capture is complete and nothing was lost.
func checkWhole(t testing.TB, path string, n int) {
	t.Helper()
	q := qualityOf(t, path)
	if len(q.Damage) > 0 || len(q.Truncated) > 0 {
		t.Errorf("the capture is not complete: damage %v, truncated %v", q.Damage, q.Truncated)
	}
	if q.Account["recorded"] != uint64(n) || q.Hits != uint64(n) || q.total() != uint64(n) {
		t.Errorf("the capture has %d hits, its account is %v, want %d recorded and no others", q.Hits, q.Account, n)
	}
}

// functions returns the function names of a stack, innermost first.
func functions(calls []call) string {
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = c.Function
	}
	return strings.Join(names, " ")
}

// checkStacks fails unless there are hits and all their user stacks begin with the
// functions.
func checkStacks(t testing.TB, all []hit, innermost string) {
	t.Helper()
	wrong := where(all, func(h *hit) bool { return !strings.HasPrefix(functions(h.User)+" ", innermost+" ") })
	if len(all) == 0 {
		t.Errorf("no hits, want hits in %q", innermost)
	}
	if len(wrong) > 0 {
		t.Errorf("%d of %d hits have a stack other than %q, the first: %q", len(wrong), len(all), innermost, functions(wrong[0].User))
	}
}
