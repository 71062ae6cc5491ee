package value

import (
	"slices"

	"trapline/capture/layout"
)

// At returns how to fetch the values of a record at another place with its own scope: at
// a variant of the function, to which the compiler may have given other arguments
// (f.constprop.0 has fewer than f). Debug information locates each value by name. Values
// that it does not describe are unreadable.
func (s *Scope) At(r *layout.Record) []layout.Fetch {
	if len(r.Fetch) == 0 {
		return nil
	}
	var there layout.Record
	if s.typed {
		_ = s.fetch(&there) // values that fail are treated as missing
	}
	return r.FetchedLike(&there)
}

// Elsewhere returns how to fetch the values of a record at a variant of the function that
// nothing is known about: results are in the usual place, arguments may be anywhere.
func Elsewhere(r *layout.Record, atReturn bool) []layout.Fetch {
	all := slices.Clone(r.Fetch)
	for i, f := range all {
		if f.Base == layout.FetchContext && !atReturn {
			all[i] = f.Unreadable()
		}
	}
	return all
}

// WithoutResults makes fetches from Go's result registers fail. At a tail jump, the
// registers do not hold the results yet.
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
