package analysistest

import (
	"bytes"
	"fmt"

	"trapline/analysis"
)

// Inputs returns inputs that read captures in memory.
func Inputs(captures ...[]byte) []*analysis.Input {
	var list []*analysis.Input
	for i, c := range captures {
		list = append(list, analysis.NewFile(fmt.Sprint("capture ", i+1), bytes.NewReader(c)))
	}
	return list
}
