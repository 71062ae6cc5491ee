package images

import (
	"fmt"
	"os"

	"trapline/capture/probe"
)

func ProcessMaps(pid uint32) []probe.Mapping {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	maps, _ := probe.ReadMaps(f)
	return maps
}
