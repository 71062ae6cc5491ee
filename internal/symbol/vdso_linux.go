package symbol

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// maxVDSO is the maximum size of the vdso in bytes. It typically has two or three pages.
const maxVDSO = 1 << 20

// VDSO returns the image of this process's vdso, which all processes of the same
// architecture share.
func VDSO() (*bytes.Reader, error) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil, fmt.Errorf("finding the vdso: %w", err)
	}
	defer maps.Close()
	var low, high uint64
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		if strings.HasSuffix(lines.Text(), "[vdso]") {
			if _, err := fmt.Sscanf(lines.Text(), "%x-%x", &low, &high); err != nil {
				return nil, fmt.Errorf("finding the vdso: %w", err)
			}
			break
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("finding the vdso: %w", err)
	}
	if high <= low {
		return nil, errors.New("finding the vdso: the kernel maps none")
	}
	if high-low > maxVDSO {
		return nil, fmt.Errorf("finding the vdso: its size is %d bytes", high-low)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, fmt.Errorf("reading the vdso: %w", err)
	}
	defer mem.Close()
	image := make([]byte, high-low)
	if _, err := mem.ReadAt(image, int64(low)); err != nil {
		return nil, fmt.Errorf("reading the vdso: %w", err)
	}
	return bytes.NewReader(image), nil
}
