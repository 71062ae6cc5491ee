// Command goreturns N calls functions N times in several goroutines, while stacks grow
// and move, garbage is collected and panics are recovered. It prints the number of calls
// of each function.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
)

// answer has two return instructions.
//
//go:noinline
func answer(i int) int {
	if i%2 == 0 {
		return i + 1
	}
	return -i
}

// deep makes the stack grow.
//
//go:noinline
func deep(n int) int {
	var room [256]byte
	room[n%len(room)] = byte(n)
	if n == 0 {
		return int(room[0])
	}
	return deep(n-1) + int(room[n%len(room)]) - n%256 + 1
}

// rescued returns by recovering from a panic.
//
//go:noinline
func rescued(i int) (result int) {
	defer func() {
		if r := recover(); r != nil {
			result = i
		}
	}()
	panic(i)
}

type base struct{ n int }

//go:noinline
func (b *base) value() int { return b.n }

// derived embeds base: (*derived).value jumps to (*base).value, which returns in its
// place.
type derived struct {
	name string
	base
}

//go:noinline
func valueOf(v interface{ value() int }) int { return v.value() }

const workers = 4

func main() {
	n, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil {
		os.Exit(64)
	}
	const depth = 200
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			var garbage [][]byte
			d := &derived{"seven", base{7}}
			for i := range n / workers {
				want := i + 1
				if i%2 == 1 {
					want = -i
				}
				if answer(i) != want {
					panic("answer is wrong")
				}
				if i%1000 == 0 {
					if valueOf(d) != 7 {
						panic("value is wrong")
					}
					grown := make(chan int)
					go func() { grown <- deep(depth) }()
					if <-grown != depth {
						panic("deep is wrong")
					}
					if rescued(i) != i {
						panic("rescued is wrong")
					}
					garbage = append(garbage, make([]byte, 1<<16))
					if len(garbage) > 8 {
						garbage = nil
						runtime.GC()
					}
				}
			}
		})
	}
	done.Wait()
	rare := workers * ((n/workers + 999) / 1000)
	fmt.Println(n/workers*workers, rare*(depth+1), rare)
}
