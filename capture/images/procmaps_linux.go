package images

import (
	"fmt"
	"os"

	"trapline/capture/locate"
)

// ProcessMaps returns the mappings in /proc/PID/maps, nil if the process has ended.
func ProcessMaps(pid uint32) []locate.Mapping {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	maps, _ := locate.ReadMaps(f)
	return maps
}
