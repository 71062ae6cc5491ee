package export

import "strings"

// Formats are all output formats, in the order of convert --list.
var Formats = []Format{pprof, folded, flamegraph, perfscript, ndjson, csvFormat}

// Lookup returns the format with the given name.
func Lookup(name string) (*Format, bool) {
	for i := range Formats {
		if Formats[i].Name == name {
			return &Formats[i], true
		}
	}
	return nil, false
}

// ForFile returns the format for the suffix of a file name.
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
