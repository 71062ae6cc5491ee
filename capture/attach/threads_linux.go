package attach

import (
	"fmt"
	"os"
	"strconv"
)

// threads returns the threads in scope by number.
func (s *Scope) threads() ([]int, error) {
	var tids []int
	for _, tid := range s.TIDs {
		tids = append(tids, int(tid))
	}
	for _, pid := range s.PIDs {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if tid, err := strconv.Atoi(e.Name()); err == nil {
				tids = append(tids, tid)
			}
		}
	}
	return tids, nil
}
