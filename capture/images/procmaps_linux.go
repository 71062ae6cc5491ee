package images

import (
	"os"

	"trapline/capture/locate"
)

// ProcessMaps returns the mappings in /proc/PID/maps, nil if the process has ended. If only
// the first thread has ended, it reads those of another.
func ProcessMaps(pid uint32) []locate.Mapping {
	f, err := os.Open(locate.ProcessDirectory("", int(pid)) + "/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	maps, _ := locate.ReadMaps(f)
	return maps
}
