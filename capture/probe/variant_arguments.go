package probe

// variantFetch says how what a probe fetches is read at a variant of its function,
// which the compiler may have given other arguments: f.constprop.0 has fewer than f. By
// name, each is where debug information says; what is not found there is unreadable.
func (b *binaryFile) variantFetch(ev *Event, p *Probe, offset uint64) []Fetch {
	if len(p.Fetch) == 0 {
		return nil
	}
	there := Probe{Kind: p.Kind}
	if sc, err := b.scope(ev, offset); err == nil && sc.typed {
		for i := range ev.Args {
			_ = sc.fetchArgument(&there, &ev.Args[i]) // what fails is not found below
		}
		if len(ev.Args) == 0 {
			_ = sc.fetchArguments(&there)
		}
	}
	found := make(map[string][]Fetch)
	there.eachField(func(f *Field, fetch []Fetch) { found[f.Name] = fetch })
	var all []Fetch
	p.eachField(func(f *Field, fetch []Fetch) {
		variant := found[f.Name]
		same := len(variant) == len(fetch)
		for i := range fetch {
			same = same && variant[i].As == fetch[i].As && variant[i].Max == fetch[i].Max
		}
		for i, v := range fetch {
			if same {
				length := v.LengthOf
				v = variant[i]
				v.LengthOf = length
			} else {
				v = v.unreadable()
			}
			all = append(all, v)
		}
	})
	return all
}

// unreadable is a fetch that fails, in the place of one that would read something else.
func (f Fetch) unreadable() Fetch {
	f.Base, f.Constant, f.Indexed = FetchConstant, 0, false
	f.Steps = []FetchStep{{Space: UserMemory, Size: 8}} // nothing can be read at address 0
	return f
}

// variantFetchUntyped says how what a probe fetches is read at a variant of which
// nothing is known: results are where they always are, arguments may be anywhere.
func (p *Probe) variantFetchUntyped() []Fetch {
	ev := Event{Kind: p.Kind}
	all := make([]Fetch, len(p.Fetch))
	for i, f := range p.Fetch {
		if f.Base == FetchContext && !ev.atReturn() {
			f = f.unreadable()
		}
		all[i] = f
	}
	return all
}

// eachField calls yield with each field and its fetches: its own, behind hidden ones.
func (p *Probe) eachField(yield func(f *Field, fetch []Fetch)) {
	first, field := 0, 0
	for i := range p.Fetch {
		if p.Fetch[i].Hidden {
			continue
		}
		yield(&p.Fields[field], p.Fetch[first:i+1])
		first = i + 1
		field++
	}
}

// withArguments gives the sites of a function's variants what is fetched there.
func (b *binaryFile) withArguments(ev *Event, p *Probe, variants []Site) []Site {
	for i := range variants {
		variants[i].Fetch = b.variantFetch(ev, p, variants[i].Offset)
	}
	return variants
}
