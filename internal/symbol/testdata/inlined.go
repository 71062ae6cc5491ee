// Command inlined has calls whose lines and inlining are known by construction.
package main

import (
	"fmt"
	"os"
	"sync/atomic"
)

var sink atomic.Int64

func innermost(x int64) int64 {
	sink.Store(x) // line:innermost
	return sink.Load() * 3
}

func middle(x int64) int64 {
	return innermost(x+1) + 1 // line:middle
}

//go:noinline
func outer(x int64) int64 {
	return middle(x) + 2 // line:outer
}

//go:noinline
func largest[T int | string](v []T) (m T) {
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

func main() {
	fmt.Println(outer(int64(len(os.Args))), largest(os.Args), largest([]int{1, 2}))
}
