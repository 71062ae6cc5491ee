package captures

import (
	"strings"

	"github.com/spf13/pflag"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
)

// A Filter holds the flags that say which hits to look at, with perf report's names.
type Filter struct {
	comms, dsos, symbols, probes []string
	pids, tids, cpus             string
}

// Flags defines the flags on a set.
func (f *Filter) Flags(set *pflag.FlagSet) {
	set.StringSliceVarP(&f.comms, "comms", "c", nil, "only these commands")
	set.StringSliceVarP(&f.dsos, "dsos", "d", nil, "only these shared objects")
	set.StringArrayVarP(&f.symbols, "symbols", "S", nil, "only these functions")
	set.StringVar(&f.pids, "pid", "", "only these processes, such as 1,234")
	set.StringVar(&f.tids, "tid", "", "only these threads")
	set.StringVarP(&f.cpus, "cpu", "C", "", "only these CPUs, such as 0,2-5")
	set.StringSliceVar(&f.probes, "probe", nil, "only these probes; globs are allowed")
}

// Parse returns what the flags ask for.
func (f *Filter) Parse() (analysis.Filter, error) {
	out := analysis.Filter{Comms: f.comms, DSOs: f.dsos, Symbols: splitSymbols(f.symbols), Probes: f.probes}
	var err error
	if f.pids != "" {
		if out.PIDs, err = cli.ParseIDs("process", f.pids); err != nil {
			return out, err
		}
	}
	if f.tids != "" {
		if out.TIDs, err = cli.ParseIDs("thread", f.tids); err != nil {
			return out, err
		}
	}
	if f.cpus != "" {
		out.CPUs, err = cli.ParseCPUs(f.cpus)
	}
	return out, err
}

// splitSymbols splits names at commas. Names of C++ functions have commas too, so each
// value also stands for itself.
func splitSymbols(values []string) []string {
	list := values
	for _, s := range values {
		if parts := strings.Split(s, ","); len(parts) > 1 {
			list = append(list, parts...)
		}
	}
	return list
}
