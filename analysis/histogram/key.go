package histogram

import (
	"fmt"
	"slices"
	"strings"
)

// A KeyKind is a property to group hits by, with the meaning it has in perf.
type KeyKind uint8

const (
	KeyComm KeyKind = iota
	KeyPID
	KeyTID
	KeyDSO
	KeySymbol
	KeySrcline
	KeyCPU
	KeyProbe
	KeyArg
)

// A Key is one column of a histogram.
type Key struct {
	Kind KeyKind
	Arg  string // of KeyArg, as in Query.Args
}

var keyKinds = map[string]KeyKind{
	"comm": KeyComm, "pid": KeyPID, "tid": KeyTID, "dso": KeyDSO, "symbol": KeySymbol, "sym": KeySymbol,
	"srcline": KeySrcline, "cpu": KeyCPU, "probe": KeyProbe,
}

// ParseKeys parses a list of sort keys such as comm,dso,symbol. Any other word is
// the name of an argument.
func ParseKeys(s string) ([]Key, error) {
	var keys []Key
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			return nil, fmt.Errorf("sort keys %q: an empty key; write them like comm,dso,symbol", s)
		}
		key := Key{Kind: KeyArg, Arg: word}
		if kind, ok := keyKinds[word]; ok {
			key = Key{Kind: kind}
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// PerCall reports whether the key depends on a call of the stack rather than on the
// hit.
func (k Key) PerCall() bool {
	return k.Kind == KeyDSO || k.Kind == KeySymbol || k.Kind == KeySrcline
}

// String returns the key as [ParseKeys] accepts it.
func (k Key) String() string {
	for name, kind := range keyKinds {
		if kind == k.Kind && name != "sym" {
			return name
		}
	}
	return k.Arg
}
