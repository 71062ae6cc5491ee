package main

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"trapline/analysis"
	"trapline/analysis/analysistest"
	"trapline/cmd/internal/cli"
)

// Every view has a golden file of its text and, if it has a JSON form, one of its
// JSON and a mention in docs/json.md.
func TestViewsAreShownAndDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range newQuestions() {
		v := views[i]
		name, args := v.name, "--"+v.name
		switch name {
		case "":
			name, args = "default", ""
		case "events": // a few of them
			args += " --tid 101,102 --cpu 1"
		}
		reports := map[string]string{name: args}
		if _, ok := q.(jsonForm); ok {
			reports[name+"-json"] = strings.TrimSpace("--json " + args)
			if v.name != "" && !strings.Contains(string(doc), "`--"+v.name+"`") {
				t.Errorf("docs/json.md does not mention --%s", v.name)
			}
		}
		goldens(t, analysistest.Sample(), reports)
	}
}

func newQuestions() []question {
	_, questions := newFlags(&options{})
	return questions
}

// top is a made-up view: the CPUs with the most hits.
type top struct{ rows int }

func (v *top) resolve(*report) error {
	if v.rows < 1 {
		return fmt.Errorf("--rows %d: at least one", v.rows)
	}
	return nil
}

func (v *top) text(r *report, w *bufio.Writer) error {
	result, err := analysis.Aggregate(r.inputs.List, analysis.Query{Filter: r.filter, CPU: true})
	if err != nil {
		return err
	}
	r.known(result)
	slices.SortFunc(result.Samples, func(a, b analysis.Sample) int { return cmp.Or(cmp.Compare(b.Hits, a.Hits), cmp.Compare(a.CPU, b.CPU)) })
	for _, s := range result.Samples[:min(v.rows, len(result.Samples))] {
		fmt.Fprintf(w, "CPU %d: %d\n", s.CPU, s.Hits)
	}
	return nil
}

// topJSON is top with a JSON form.
type topJSON struct{ top }

func (v *topJSON) json(r *report, w *bufio.Writer) error {
	_, err := w.WriteString("{}\n")
	return err
}

// A new view takes one row. Its flag, its own flags, the exclusion of other views
// and its forms follow.
func TestNewView(t *testing.T) {
	defer func(all []view) { views = all }(views)
	views = append(slices.Clone(views), view{
		name: "top-cpus", help: "print the CPUs with the most hits", instead: "count yourself",
		new: func(f *cli.Flags) question {
			v := &top{}
			f.Group("Top CPUs").IntVar(&v.rows, "rows", 2, "CPUs to print")
			return v
		},
	})
	check := func(args, stdout, stderr string, code int) {
		t.Helper()
		out := runReport(analysistest.Sample(), append([]string{"-q", "-i", "-"}, strings.Fields(args)...)...)
		if out.stdout != stdout || !strings.Contains(out.stderr, stderr) || out.code != code {
			t.Errorf("report %s: exit code %d, %q, %q", args, out.code, out.stdout, out.stderr)
		}
	}
	check("--top-cpus", "CPU 0: 70\nCPU 1: 70\n", "", 0)
	check("--top-cpus --rows 1 --comms idle", "CPU 1: 40\n", "", 0)
	check("--top-cpus --rows 0", "", "--rows 0: at least one", 1)
	check("--top-cpus --json", "", "--top-cpus has no JSON form; count yourself", 1)
	check("--top-cpus --stats", "", "--events, --header-only, --stats and --top-cpus exclude each other", 1)
	if help := runReport(nil, "--help").stdout; !strings.Contains(help, "--top-cpus ") || !strings.Contains(help, "Top CPUs:\n      --rows int") {
		t.Errorf("--help does not list the view:\n%s", help)
	}
	views[len(views)-1].new = func(*cli.Flags) question { return &topJSON{top{1}} }
	check("--top-cpus --json", "{}\n", "", 0)
}
