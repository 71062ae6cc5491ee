// Package cost holds what a hit costs, by kind of probe and way of recording. The
// figures are in costs.json, which only bench writes. README.md and docs/benchmarks.md
// show them as tables, and record -lv prints those of trapline.
package cost

import (
	_ "embed"
	"encoding/json"
	"slices"

	"trapline/format"
)

// A Table holds the figures of one run on one machine.
type Table struct {
	Name    string `json:"name"`    // Native or Emulated
	Machine string `json:"machine"` // where it was measured, with the versions that matter
	Date    string `json:"date"`    // of the run, as 2006-01-02
	Command string `json:"command"` // that measured
	Runs    int    `json:"runs"`    // whose medians the figures are
	Calls   int    `json:"calls"`   // that each run makes
	Rows    []Row  `json:"rows"`
}

// Names of the tables.
const (
	// Native is the table of a machine that runs the kernel itself, or a virtual
	// machine with the processor's help.
	Native = "native"
	// Emulated is the table of a machine whose processor is emulated. Its figures
	// compare with each other only.
	Emulated = "emulated"
)

// A Row is what a hit of one kind of probe costs.
type Row struct {
	Kind  string `json:"kind"`  // as tables call it
	Probe string `json:"probe"` // name of its [format.ProbeKind]; "" for rows that Of does not return
	// NS has ns that a hit takes more than none. A way that was not measured, or that
	// there is not for this kind, is missing.
	NS map[Way]int `json:"ns"`
}

// A Way is a way of recording hits.
type Way string

const (
	Plain          Way = "trapline" // without stacks; with the arguments that the kind always records
	Arguments      Way = "trapline with arguments"
	Stacks         Way = "trapline with stacks"
	Perf           Way = "perf"
	PerfStacks     Way = "perf with stacks"
	Bpftrace       Way = "bpftrace" // counts and keeps no hits
	BpftraceStacks Way = "bpftrace by stacks"
)

// Ways returns all ways, in the order of the columns of tables.
func Ways() []Way {
	return []Way{Plain, Arguments, Stacks, Perf, PerfStacks, Bpftrace, BpftraceStacks}
}

//go:embed costs.json
var committed []byte

var tables = mustParse(committed)

func mustParse(data []byte) []Table {
	t, err := parse(data)
	if err != nil {
		panic("cost: costs.json: " + err.Error())
	}
	return t
}

func parse(data []byte) (tables []Table, err error) {
	err = json.Unmarshal(data, &tables)
	return tables, err
}

// Tables returns the committed tables. They must not be changed.
func Tables() []Table { return tables }

// Of returns what a hit of the kind costs without stacks, in ns, according to the
// native table. ok is false if that does not have the kind.
func Of(kind format.ProbeKind) (ns int, ok bool) {
	for _, t := range tables {
		if t.Name != Native {
			continue
		}
		i := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Probe == kind.String() })
		if i < 0 {
			return 0, false
		}
		ns, ok = t.Rows[i].NS[Plain]
	}
	return ns, ok
}
