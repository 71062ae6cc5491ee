package attach

import (
	"slices"
	"strings"
	"testing"

	"trapline/bpf"
	"trapline/internal/glob"
)

// commMatches does what comm_matches of bpf/comm.h does.
func commMatches(p *bpf.HooksCommPatterns, name string) bool {
	states := p.Start
	for _, c := range []byte(name) {
		states = (states&p.Steps[c].Advance)<<1 | states&p.Steps[c].Stay
	}
	return states&p.Accept != 0
}

func TestCommPatterns(t *testing.T) {
	for _, c := range []struct {
		patterns string
		name     string
		want     bool
	}{
		{"nginx", "nginx", true},
		{"nginx", "nginx2", false},
		{"nginx", "ngin", false},
		{"ngin*", "nginx: worker", true},
		{"*worker", "nginx: worker", true},
		{"a,b*,*c", "abc", true},
		{"a,b,c", "ab", false},
		{"kworker/[0-9]:*", "kworker/0:1", true},
		{"[!k]*", "kworker/0:1", false},
		{"[!k]*", "rcu", true},
		{"[^k]*", "kworker/0:1", false},
		{"[^k]*", "rcu", true},
		{"{ngin,apache}*,sshd", "apache2", true},
		{"{ngin,apache}*,sshd", "sshd", true},
		{"{ngin,apache}*,sshd", "nginx", true},
		{"{ngin,apache}*,sshd", "sh", false},
		{`a\*`, "ab", false},
		{"*", "", true},
		{"fifteen_letters", "fifteen_letters", true},
	} {
		p, err := commPatterns(glob.Split(c.patterns))
		if err != nil {
			t.Errorf("%s: %v", c.patterns, err)
			continue
		}
		if got := commMatches(p, c.name); got != c.want {
			t.Errorf("%q against %s: %t, want %t", c.name, c.patterns, got, c.want)
		}
	}
}

func TestCommPatternsRefuses(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                       "it is empty",
		"[a-":                    "not closed",
		"more_than_a_task_name":  "keeps 15 characters",
		"{a,sixteen_letters_}":   "keeps 15 characters",
		strings.Repeat("*a", 40): "keeps 15 characters",
	} {
		if _, err := commPatterns([]string{pattern}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", pattern, err, want)
		}
	}
	if _, err := commPatterns(slices.Repeat([]string{"abcdefghij"}, 10)); err == nil || !strings.Contains(err.Error(), "with 10 alternatives 54 are possible") {
		t.Errorf("ten long names: error %v", err)
	}
}
