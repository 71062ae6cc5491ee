package debuginfo

// A Place is the start of code of a source line or an inlined call.
type Place struct {
	Address uint64
	File    string // of the line, or of an inlined call
	Line    int
	// Functions are the linkage names of the functions at the place, innermost first: each
	// is inlined into the next one.
	Functions []string
}

// A SourceLine is the result of looking up a source line.
type SourceLine struct {
	Files         []string // that match, sorted; empty if no unit has such a file
	Places        []Place  // in no order; some may be there twice
	Before, After int      // the nearest lines with code, or 0
}

// maxPlaces limits the places of a line, which macros and templates can multiply.
const maxPlaces = 1 << 16
