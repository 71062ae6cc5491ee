package value

import (
	"slices"

	"trapline/capture/layout"
)

// At returns how what a record has is fetched at another place that has values of its
// own: at a variant of the function, to which the compiler may have given other
// arguments (f.constprop.0 has fewer than f). By name, each is where debug information
// says; what is not found there is unreadable.
func (s *Scope) At(r *layout.Record) []layout.Fetch {
	if len(r.Fetch) == 0 {
		return nil
	}
	var there layout.Record
	if s.typed {
		_ = s.fetch(&there) // what fails is not found
	}
	return r.FetchedLike(&there)
}

// Elsewhere returns how what a record has is fetched at a variant of the function of
// which nothing is known: results are where they always are, arguments may be anywhere.
func Elsewhere(r *layout.Record, atReturn bool) []layout.Fetch {
	all := slices.Clone(r.Fetch)
	for i, f := range all {
		if f.Base == layout.FetchContext && !atReturn {
			all[i] = f.Unreadable()
		}
	}
	return all
}

// WithoutResults replaces what is read of Go's result registers by what cannot be read:
// where another function returns in its caller's stead, they do not hold results yet.
func WithoutResults(fetch []layout.Fetch) []layout.Fetch {
	unread := slices.Clone(fetch)
	for i, f := range unread {
		if f.Base == layout.FetchContext && slices.Contains(goWords, f.Word) {
			f.Word = 0
			unread[i] = f.Unreadable()
		}
	}
	return unread
}
