package value

import "slices"

// At returns how what a record has is fetched at another place that has values of its
// own: at a variant of the function, to which the compiler may have given other
// arguments (f.constprop.0 has fewer than f). By name, each is where debug information
// says; what is not found there is unreadable.
func (s *Scope) At(r *Record) []Fetch {
	if len(r.Fetch) == 0 {
		return nil
	}
	var there Record
	if s.typed {
		_ = s.fetch(&there) // what fails is not found below
	}
	found := make(map[string][]Fetch)
	there.eachField(func(f *Field, fetch []Fetch) { found[f.Name] = fetch })
	var all []Fetch
	r.eachField(func(f *Field, fetch []Fetch) {
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

// Elsewhere returns how what a record has is fetched at a variant of the function of
// which nothing is known: results are where they always are, arguments may be anywhere.
func (r *Record) Elsewhere(atReturn bool) []Fetch {
	all := make([]Fetch, len(r.Fetch))
	for i, f := range r.Fetch {
		if f.Base == FetchContext && !atReturn {
			f = f.unreadable()
		}
		all[i] = f
	}
	return all
}

// WithoutResults replaces what is read of Go's result registers by what cannot be read:
// where another function returns in its caller's stead, they do not hold results yet.
func WithoutResults(fetch []Fetch) []Fetch {
	unread := slices.Clone(fetch)
	for i, f := range unread {
		if f.Base == FetchContext && slices.Contains(goWords, f.Word) {
			f.Word = 0
			unread[i] = f.unreadable()
		}
	}
	return unread
}

// unreadable is a fetch that fails, in the place of one that would read something else.
func (f Fetch) unreadable() Fetch {
	f.Base, f.Constant, f.Indexed = FetchConstant, 0, false
	f.Steps = []FetchStep{{Space: UserMemory, Size: 8}} // nothing can be read at address 0
	return f
}
