package captures

import (
	"strings"

	"github.com/spf13/pflag"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
	"trapline/internal/glob"
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
	set.StringArrayVar(&f.probes, "probe", nil, "only these probes, by name or `PATTERN` (repeatable, or a list with commas)")
}

// Parse returns what the flags ask for.
func (f *Filter) Parse() (analysis.Filter, error) {
	out := analysis.Filter{Comms: f.comms, DSOs: f.dsos, Symbols: splitSymbols(f.symbols), Probes: splitPatterns(f.probes)}
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

// splitPatterns splits lists of patterns at commas. Each value also stands for itself,
// since names of functions contain commas too.
func splitPatterns(values []string) []string {
	list := values
	for _, s := range values {
		if parts := glob.Split(s); len(parts) > 1 {
			list = append(list, parts...)
		}
	}
	return list
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
