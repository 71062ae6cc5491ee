// Package analysis turns captures into answers: it filters, groups and counts
// the hits of one or more captures and lists them in time order. It knows no
// terminal and no kernel.
//
// The order of work is the same for every question: select columns, filter on
// them, count by small integer keys within a segment, and only then map what is
// left (distinct stacks, not hits) to names. Memory grows with the number of
// distinct stacks and keys, never with the number of hits.
package analysis
