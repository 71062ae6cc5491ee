package attach

import (
	"path"
	"strings"
	"testing"

	"trapline/bpf"
)

// commMatches is comm_matches of bpf/comm.h.
func commMatches(p *bpf.HooksCommPatterns, name string) bool {
	states := p.Start
	for _, c := range []byte(name) {
		states = (states&p.Class[c])<<1 | states&p.Star
		states |= (states & p.Star) << 1
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
		{"*:*", "nginx: worker", true},
		{"a,b*,*c", "abc", true},
		{"a,b,c", "ab", false},
		{"kworker/[0-9]:*", "kworker/0:1", true},
		{"[!k]*", "kworker/0:1", false},
		{"[!k]*", "rcu", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{`a\*`, "a*", true},
		{`a\*`, "ab", false},
		{"**a**", "xay", true},
		{"*", "", true},
		{"fifteen_letters", "fifteen_letters", true},
	} {
		p, err := commPatterns(strings.Split(c.patterns, ","))
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
		"[z-a]":                  "characters and ranges",
		"[]":                     "characters and ranges",
		`a\`:                     "backslash",
		"more_than_a_task_name":  "keeps 15 characters",
		strings.Repeat("*a", 40): "keeps 15 characters",
	} {
		if _, err := commPatterns([]string{pattern}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one about %q", pattern, err, want)
		}
	}
	var many []string
	for range 10 {
		many = append(many, "abcdefghij")
	}
	if _, err := commPatterns(many); err == nil || !strings.Contains(err.Error(), "more than 54 characters together") {
		t.Errorf("ten long names: error %v", err)
	}
}

// The automaton accepts what package path does, where the two notations agree.
func FuzzCommPatterns(f *testing.F) {
	f.Add("ngin*", "nginx")
	f.Add("*a*b?", "xaybz")
	f.Add(`\[[a-c]`, "[b")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		for _, s := range []string{pattern, name} {
			if strings.ContainsAny(s, "/\x00!^") || strings.ToValidUTF8(s, "") != s || len(s) != len([]rune(s)) {
				return
			}
		}
		p, err := commPatterns([]string{pattern})
		want, badPattern := path.Match(pattern, name)
		if err != nil || badPattern != nil {
			return
		}
		if got := commMatches(p, name); got != want {
			t.Errorf("%q against %q: %t, want %t", name, pattern, got, want)
		}
	})
}
