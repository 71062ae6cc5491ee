package analysis

import "errors"

// Aggregate counts the hits of the inputs as the query says. progress, if not
// nil, is called now and then with the bytes read so far and in all (0 when a size
// is unknown).
func Aggregate(inputs []Input, q Query, progress func(done, total int64)) (*Result, error) {
	return nil, errors.New("aggregate: unavailable")
}

// Each calls yield for every hit that passes the filter, input after input and in
// time order within each segment, until yield returns false.
func Each(inputs []Input, q Query, yield func(*Event) bool) (*Result, error) {
	return nil, errors.New("each: unavailable")
}
