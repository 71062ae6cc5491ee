package analysis

// A symbolID identifies (function, image) pairs, so that grouping by symbol
// compares integers.
type symbolID uint32
