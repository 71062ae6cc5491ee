// Package render writes the answers of package analysis as text, in the shapes
// that perf's users know, and as JSON. The same answer gives the same bytes
// everywhere: no locale, no time zone, no width of a terminal.
package render
