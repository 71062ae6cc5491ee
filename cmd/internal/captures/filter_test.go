package captures_test

import (
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"trapline/cmd/internal/captures"
)

// Lists of patterns are split at commas outside braces. A name with commas is also
// kept whole.
func TestProbeLists(t *testing.T) {
	for value, want := range map[string][]string{
		"sched:*":     {"sched:*"},
		"a*,b":        {"a*", "b"},
		"{a,b}*":      {"{a,b}*"},
		"f(int,char)": {"f(int,char)"},
	} {
		var f captures.Filter
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.Flags(set)
		if err := set.Parse([]string{"--probe", value}); err != nil {
			t.Fatal(err)
		}
		filter, err := f.Parse()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !slices.Contains(filter.Probes, w) {
				t.Errorf("--probe %s: %q, want %q", value, filter.Probes, want)
			}
		}
	}
}
