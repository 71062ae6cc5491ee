// Package analysis turns captures into answers. It filters, counts and lists the
// hits of one or more captures, and merges their stacks into trees. It knows
// nothing of terminals and kernels.
//
// Every question is answered in the same order: select columns, filter on them,
// count by small integer keys within a segment, and only then map the remaining
// distinct stacks to names. Memory grows with the number of distinct stacks and
// keys, never with the number of hits.
package analysis
