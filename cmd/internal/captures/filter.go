package captures

import (
	"strings"

	"github.com/spf13/pflag"

	"trapline/analysis"
	"trapline/cmd/internal/cli"
	"trapline/internal/glob"
)

// A Filter holds the flags that select hits, named as in perf report.
type Filter struct {
	comms, dsos, symbols, probes []string
	pids, tids, cpus             string
}

// Flags defines the flags.
func (f *Filter) Flags(set *pflag.FlagSet) {
	set.StringSliceVarP(&f.comms, "comms", "c", nil, "only hits of these commands (`LIST` with commas)")
	set.StringSliceVarP(&f.dsos, "dsos", "d", nil, "only hits in these shared objects (`LIST` with commas)")
	set.StringArrayVarP(&f.symbols, "symbols", "S", nil, "only hits in these functions (`LIST` with commas)")
	set.StringVar(&f.pids, "pid", "", "only hits of these processes (`LIST` such as 1,234)")
	set.StringVar(&f.tids, "tid", "", "only hits of these threads (`LIST`)")
	set.StringVarP(&f.cpus, "cpu", "C", "", "only hits on these CPUs (`LIST` such as 0,2-5)")
	set.StringArrayVar(&f.probes, "probe", nil, "only hits of these probes, by name or `PATTERN` (repeatable, or a list with commas)")
}

// Parse returns the filter that the flags ask for.
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

// splitPatterns splits lists of patterns at commas. Since names of functions may
// contain commas, it keeps each unsplit value, too.
func splitPatterns(values []string) []string {
	list := values
	for _, s := range values {
		if parts := glob.Split(s); len(parts) > 1 {
			list = append(list, parts...)
		}
	}
	return list
}

// splitSymbols splits lists of names at commas. Since names of C++ functions
// contain commas, it keeps each unsplit value, too.
func splitSymbols(values []string) []string {
	list := values
	for _, s := range values {
		if parts := strings.Split(s, ","); len(parts) > 1 {
			list = append(list, parts...)
		}
	}
	return list
}
