package probe

import (
	"fmt"
	"path"

	"trapline/bpf"
	"trapline/capture/event"
	"trapline/capture/layout"
	"trapline/capture/program"
	"trapline/capture/usdt"
	"trapline/format"
	"trapline/internal/nearest"
)

func init() {
	Register(&Kind{
		Syntax:    event.Syntax{Kind: format.ProbeUSDT, Spellings: []string{"usdt", "U"}, Form: event.FormUSDT, InPrograms: true, Arguments: true, Registers: true},
		What:      "static probe of a program",
		Stability: "stable: placed by the program's authors",

		Program:  bpf.HooksProgOnRegisters,
		Backends: []Backend{UprobeMulti, UprobeEvent},
		Sharing:  sharedInProgram,

		Resolve:  (*Resolver).resolveUSDT,
		List:     (*Resolver).listUSDT,
		ListRank: 6,
	})
}

// resolveUSDT returns one probe for each provider, name and program, with all its sites.
func (r *Resolver) resolveUSDT(ev *event.Event) ([]Probe, error) {
	if !r.havePMU("uprobe") {
		return nil, &event.UnsupportedError{Event: ev.Text, Feature: "USDT probes", Reason: "this kernel was built without CONFIG_UPROBE_EVENTS", Remedy: "use a tracepoint (record -l lists them)"}
	}
	binaries, err := r.usdtBinaries(ev)
	if err != nil {
		return nil, err
	}
	provider := ev.Provider
	matchName, err := newMatcher(ev.Match, ev.Name)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	matchProvider, err := newMatcher(ev.Match, provider)
	if err != nil {
		return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
	}
	near := nearest.To(ev.Name)
	declared := 0
	var probes []Probe
	for _, b := range binaries {
		all, err := b.USDT()
		if err != nil {
			return nil, &event.InvalidError{Event: ev.Text, Reason: err.Error()}
		}
		declared += len(all)
		for i := range all {
			u := &all[i]
			if provider != "" && !matchProvider(u.Provider) || !matchName(u.Name) {
				near.Add(u.Provider + ":" + u.Name)
				continue
			}
			p, err := r.usdtProbe(ev, b, u)
			if err != nil {
				return nil, err
			}
			probes = append(probes, *p)
		}
	}
	if len(probes) == 0 {
		e := &event.NotFoundError{Event: ev.Text, Reason: "no such USDT probe in " + usdtPlace(binaries), Nearest: near.Names()}
		if declared == 0 {
			e.Reason = usdtPlace(binaries) + " declares no USDT probes"
		}
		return nil, e
	}
	return probes, nil
}

func usdtPlace(binaries []*program.File) string {
	if len(binaries) == 1 {
		return binaries[0].Path.Resolved
	}
	return "the files that the process has mapped"
}

// usdtProbe returns the probe of all places that a USDT probe declares.
func (r *Resolver) usdtProbe(ev *event.Event, b *program.File, u *usdt.Probe) (*Probe, error) {
	p := &Probe{Kind: ev.Syntax.Kind, Group: u.Provider, Function: u.Name, Path: b.Path.Open,
		Name: ev.Syntax.Name() + ":" + path.Base(b.Path.Shown) + ":" + u.Provider + ":" + u.Name}
	for _, n := range u.Notes {
		offset, ok := b.Offset(n.Address)
		if !ok || !b.HoldsCode(offset) {
			return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("%s:%s is declared at 0x%x, where %s has no code", u.Provider, u.Name, n.Address, b.Path.Resolved)}
		}
		s := Site{Function: u.Name, Offset: offset}
		if n.Semaphore != 0 {
			if s.RefCounter, ok = b.Offset(n.Semaphore); !ok {
				return nil, &event.InvalidError{Event: ev.Text, Reason: fmt.Sprintf("the semaphore of %s:%s is at 0x%x, which is not in %s", u.Provider, u.Name, n.Semaphore, b.Path.Resolved)}
			}
		}
		p.Sites = append(p.Sites, s)
	}
	p.Offset = p.Sites[0].Offset
	var fetch [][]layout.Fetch
	var err error
	p.Record, fetch, p.Notes, err = r.kernel.AtUSDT(ev, b, u)
	for i := range fetch {
		p.Sites[i].Fetch = fetch[i]
	}
	return p, err
}

func (r *Resolver) listUSDT(k *Kind, s *Selection, yield func(Listing) bool) error {
	return r.listPrograms(k, s, r.listProgramUSDT, yield)
}

// listProgramUSDT lists the USDT probes of a program that match by NAME or PROVIDER:NAME.
func (r *Resolver) listProgramUSDT(ev *event.Event, b *program.File, match matcher, verbose bool, yield func(Listing) bool) (more bool, err error) {
	probes, err := b.USDT()
	if err != nil {
		return false, err
	}
	for i := range probes {
		u := &probes[i]
		l := Listing{Name: u.Provider + ":" + u.Name}
		if !match(u.Name) && !match(l.Name) {
			continue
		}
		if verbose {
			if p, err := r.usdtProbe(ev, b, u); err == nil {
				l.Fields = p.listed()
			}
		}
		if !yield(l) {
			return false, nil
		}
	}
	return true, nil
}
