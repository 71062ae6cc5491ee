// Package cost holds what a hit costs, by kind of probe and way of recording. The figures
// are in costs.json, which bench writes. README.md and docs/benchmarks.md show them as
// tables, and record -lv prints trapline's.
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
	Machine string `json:"machine"` // measured on, including versions
	Date    string `json:"date"`    // of the run, as 2006-01-02
	Command string `json:"command"` // that took the measurements
	Runs    int    `json:"runs"`    // figures are medians of this many runs
	Calls   int    `json:"calls"`   // per run
	Rows    []Row  `json:"rows"`
}

// Names of the tables.
const (
	// Native is the table of a real machine, or of a virtual machine with hardware
	// virtualization.
	Native = "native"
	// Emulated is the table of a machine with an emulated processor. Its figures can
	// only be compared with each other.
	Emulated = "emulated"
)

// A Row holds what a hit of one kind of probe costs.
type Row struct {
	Kind  string `json:"kind"`  // as shown in tables
	Probe string `json:"probe"` // name of the [format.ProbeKind] whose cost the row states; "" means none
	// NS is the extra time of a hit in ns. Ways that were not measured, or that do not
	// exist for this kind, are missing.
	NS map[Way]int `json:"ns"`
}

// A Way is a way of recording hits.
type Way string

const (
	Plain          Way = "trapline" // without stacks, with the arguments that the kind always records
	Arguments      Way = "trapline with arguments"
	Stacks         Way = "trapline with stacks"
	Perf           Way = "perf"
	PerfStacks     Way = "perf with stacks"
	Bpftrace       Way = "bpftrace" // counts and keeps no hits
	BpftraceStacks Way = "bpftrace by stacks"
)

// Ways returns all ways, in the order of the tables' columns.
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

// Tables returns the committed tables. The caller must not modify them.
func Tables() []Table { return tables }

// Of returns what a hit of the kind costs without stacks, in ns, from the native table. ok
// is false if that table does not have the kind.
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
