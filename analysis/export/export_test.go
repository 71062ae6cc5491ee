package export_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/pprof/profile"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/analysis/export"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// convert exports captures, which must be complete.
func convert(t *testing.T, name string, r export.Request, captures ...[]byte) []byte {
	t.Helper()
	f, ok := export.Lookup(name)
	if !ok {
		t.Fatalf("no format %q", name)
	}
	r.Inputs = inputs(captures...)
	var out bytes.Buffer
	result, err := f.Write(&out, &r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(result.Quality.Damage)+len(result.Quality.Truncated) > 0 {
		t.Fatalf("the capture is not whole: %+v", result.Quality)
	}
	return out.Bytes()
}

// golden compares with testdata/NAME.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what was written; got:\n%s", path, got)
	}
}

// Formats with stacks mark incomplete ones.
func TestIncompleteStacks(t *testing.T) {
	capture := analysistest.Incomplete()
	for _, c := range []struct {
		file, format string
		request      export.Request
	}{
		{"incomplete.folded", "folded", export.Request{}},
		{"incomplete.ndjson", "ndjson", export.Request{Stacks: true}},
		{"incomplete.perfscript", "perfscript", export.Request{}},
		{"incomplete.svg", "flamegraph", export.Request{}},
	} {
		golden(t, c.file, convert(t, c.format, c.request, capture))
	}
}

func TestGolden(t *testing.T) {
	capture := testCapture(t)
	for _, c := range []struct {
		file, format string
		request      export.Request
	}{
		{"plain.folded", "folded", export.Request{}},
		{"annotated.folded", "folded", export.Request{Annotate: true}},
		{"bytes.folded", "folded", export.Request{Weights: []string{"bytes"}}},
		{"flame.svg", "flamegraph", export.Request{}},
		{"icicle.svg", "flamegraph", export.Request{Icicle: true, Reverse: true, Title: `<By> "leaf"`, MinWidth: 25}},
		{"hits.perfscript", "perfscript", export.Request{}},
		{"hits.ndjson", "ndjson", export.Request{}},
		{"stacks.ndjson", "ndjson", export.Request{Stacks: true, Filter: analysis.Filter{PIDs: []uint32{100}}}},
		{"hits.csv", "csv", export.Request{}},
		{"stacks.csv", "csv", export.Request{Stacks: true, Filter: analysis.Filter{Probes: []string{"uprobe:*"}}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			golden(t, c.file, convert(t, c.format, c.request, capture))
		})
	}
	for _, c := range []struct {
		file    string
		request export.Request
	}{
		{"hits.pprof.txt", export.Request{}},
		{"labels.pprof.txt", export.Request{Labels: true, Weights: []string{"bytes", "pid"}}},
	} {
		t.Run(c.file, func(t *testing.T) {
			p, err := profile.ParseData(convert(t, "pprof", c.request, capture))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, c.file, []byte(p.String()))
		})
	}
}

// A suffix selects one format. Each format can be selected by name.
func TestForFile(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"a/profile.pb.gz", "pprof"}, {"x.folded", "folded"}, {"X.SVG", "flamegraph"},
		{"out.txt", "perfscript"}, {"hits.ndjson", "ndjson"}, {"hits.csv", "csv"},
	} {
		if f, ok := export.ForFile(c.file); !ok || f.Name != c.want {
			t.Errorf("ForFile(%q) = %v, %v; want %s", c.file, f, ok, c.want)
		}
	}
	if f, ok := export.ForFile("archive.gz"); ok {
		t.Errorf("ForFile(archive.gz) = %s; want none", f.Name)
	}
	seen := map[string]string{}
	for _, f := range export.Formats {
		for _, s := range f.Suffixes {
			if other := seen[s]; other != "" {
				t.Errorf("%s and %s both have the suffix %s", f.Name, other, s)
			}
			seen[s] = f.Name
		}
	}
}
