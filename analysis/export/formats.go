package export

import "strings"

// Formats are all output formats, in the order in which they are listed.
var Formats = []Format{pprof, folded, flamegraph, perfscript, ndjson, csvFormat}

// Lookup returns the format of that name.
func Lookup(name string) (*Format, bool) {
	for i := range Formats {
		if Formats[i].Name == name {
			return &Formats[i], true
		}
	}
	return nil, false
}

// ForFile returns the format that a file's name asks for by its suffix.
func ForFile(name string) (*Format, bool) {
	name = strings.ToLower(name)
	for i := range Formats {
		for _, suffix := range Formats[i].Suffixes {
			if strings.HasSuffix(name, suffix) {
				return &Formats[i], true
			}
		}
	}
	return nil, false
}
