package cost_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trapline/capture/probe"
	"trapline/format"
	"trapline/internal/cost"
)

var update = flag.Bool("update", false, "write the tables into the pages")

const root = "../.."

// Every page shows the current tables.
func TestPages(t *testing.T) {
	for _, name := range cost.Pages() {
		path := filepath.Join(root, name)
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := cost.Fill(page, cost.Tables())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if bytes.Equal(page, want) {
			continue
		}
		if !*update {
			t.Errorf("%s differs from costs.json: go test ./internal/cost -update rewrites it", name)
		} else if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Tables state where their figures come from, and name existing kinds of probes.
func TestTables(t *testing.T) {
	kinds := map[string]format.ProbeKind{}
	for k := format.ProbeUnknown + 1; !strings.HasPrefix(k.String(), "kind "); k++ {
		kinds[k.String()] = k
	}
	ways := map[cost.Way]bool{}
	for _, w := range cost.Ways() {
		ways[w] = true
	}
	var names []string
	for _, table := range cost.Tables() {
		names = append(names, table.Name)
		if _, err := time.Parse("2006-01-02", table.Date); err != nil {
			t.Errorf("%s: %v", table.Name, err)
		}
		if table.Machine == "" || table.Command == "" || table.Runs < 1 || table.Calls < 1 || len(table.Rows) == 0 {
			t.Errorf("table %s does not say how it was measured, or has no rows: %+v", table.Name, table)
		}
		for _, row := range table.Rows {
			if row.Probe != "" && kinds[row.Probe] == 0 {
				t.Errorf("%s: %s has the unknown kind %q", table.Name, row.Kind, row.Probe)
			}
			if row.NS[cost.Plain] <= 0 {
				t.Errorf("%s: %s costs %d ns", table.Name, row.Kind, row.NS[cost.Plain])
			}
			for way := range row.NS {
				if !ways[way] {
					t.Errorf("%s: %s has a figure for the unknown way %q", table.Name, row.Kind, way)
				}
			}
			if table.Name != cost.Native || row.Probe == "" {
				continue
			}
			if ns, ok := cost.Of(kinds[row.Probe]); !ok || ns != row.NS[cost.Plain] {
				t.Errorf("Of(%s) is %d, %v; the table has %d", row.Probe, ns, ok, row.NS[cost.Plain])
			}
		}
	}
	if want := []string{cost.Native, cost.Emulated}; !slices.Equal(names, want) {
		t.Errorf("tables are %v, want %v", names, want)
	}
	if ns, ok := cost.Of(format.ProbeUnknown); ok {
		t.Errorf("a probe of unknown kind costs %d ns", ns)
	}
}

// Replacing a table changes costs.json and the pages, and nothing else in them.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	before := map[string]string{}
	for _, name := range append(cost.Pages(), "internal/cost/costs.json") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		before[name] = string(data)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	contents := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	old := cost.Tables()[0]
	table := old
	table.Rows = []cost.Row{{Kind: "made up", NS: map[cost.Way]int{cost.Plain: 4711, cost.PerfStacks: 815}}}
	if err := cost.Replace(dir, table); err != nil {
		t.Fatal(err)
	}
	for _, name := range cost.Pages() {
		want := strings.Replace(before[name], old.Markdown(), table.Markdown(), 1)
		if got := contents(name); got != want || !strings.Contains(got, "| made up | 4711 | – | – | – | 815 | – | – |") {
			t.Errorf("%s is now\n%s", name, got)
		}
	}
	if err := cost.Replace(dir, old); err != nil {
		t.Fatal(err)
	}
	for name, want := range before {
		if got := contents(name); got != want {
			t.Errorf("%s is not what it was before:\n%s", name, got)
		}
	}
	if err := cost.Replace(dir, cost.Table{Name: "other"}); err == nil {
		t.Error("a table of an unknown name was written")
	}
}

func TestFillRefusesPagesWithoutTables(t *testing.T) {
	for _, page := range []string{"", "<!-- costs: native, written by bench -->\n| no end |\n"} {
		if got, err := cost.Fill([]byte(page), cost.Tables()); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}

// record -lv states the same costs as the README's table.
func TestListing(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	native := cost.Tables()[0]
	shown := 0
	for _, row := range native.Rows {
		for _, k := range probe.Kinds() {
			if k.Name() != row.Probe {
				continue
			}
			shown++
			line := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(row.Kind) + ` \| (\d+) \|`).FindSubmatch(readme)
			if line == nil {
				t.Errorf("README.md has no row for %s", row.Kind)
				continue
			}
			if want := fmt.Sprintf("a hit costs about %s ns", line[1]); !strings.Contains(k.String(), want) {
				t.Errorf("record -lv says of %s: %s; want %q", k.Name(), k, want)
			}
		}
	}
	if shown < 4 {
		t.Errorf("record -lv states the costs of %d kinds", shown)
	}
	for _, k := range probe.Kinds() {
		if _, ok := cost.Of(k.Kind); !ok && strings.Contains(k.String(), "costs") {
			t.Errorf("record -lv says of %s, which was not measured: %s", k.Name(), k)
		}
	}
}
