// Command gocounter calls getppid N times through main, top, mid and leaf. Tests
// build it stripped: its names are then only in Go's function table.
package main

import (
	"os"
	"strconv"
	"syscall"
)

//go:noinline
func leaf() int { return syscall.Getppid() }

//go:noinline
func mid() int { return leaf() + 1 }

//go:noinline
func top(n int) (sum int) {
	for range n {
		sum += mid()
	}
	return sum
}

func main() {
	n, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil || top(n) < 0 {
		os.Exit(64)
	}
}
