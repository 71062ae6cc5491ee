package symbol

// A codePlace is where code of a source line, or of a function that was inlined, begins.
type codePlace struct {
	Address uint64
	File    string // of the line, or of an inlined call
	Line    int
	// Functions are the linkage names of the functions at the place, innermost first: each
	// is inlined into the next one.
	Functions []string
}

// A lineCode is what line tables say of a line.
type lineCode struct {
	Files         []string    // that match, sorted; none: no unit has such a file
	Places        []codePlace // in no order; some may be there twice
	Before, After int         // the nearest lines that have code; 0: none
}

// maxPlaces limits the places of a line, which macros and templates can multiply.
const maxPlaces = 1 << 16
