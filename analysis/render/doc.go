// Package render prints the answers of package analysis as text, in the layouts of
// perf, and as JSON. The same answer gives the same bytes everywhere, independent
// of locale, time zone and terminal width.
package render
