//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// attachCosts prints how long a thousand functions take to attach and to detach.
func (b *bench) attachCosts() error {
	for _, event := range []string{"uprobe:" + b.target("many") + ":many_*", "uretprobe:" + b.target("many") + ":many_*", "kprobe:__x64_sys_*"} {
		if exec.Command(b.record(), "--dry-run", "-e", event).Run() != nil {
			continue
		}
		var attach, detach []float64
		for range b.runs {
			up, down, err := b.attachTime(event)
			if err != nil {
				return err
			}
			attach, detach = append(attach, up), append(detach, down)
		}
		fmt.Printf("%s: attached after %.0f ms, start of the program included; detached and ended in %.0f ms\n",
			strings.Replace(event, b.targets, "", 1), median(attach), median(detach))
	}
	return nil
}

// attachTime returns how long record takes until it is ready, and from the end of the
// recording to its own, in ms.
func (b *bench) attachTime(event string) (attach, detach float64, err error) {
	start := time.Now()
	rec, said, err := b.startRecord("-q", "--allow-slow", "--no-stacks", "-o", b.file("attach.data"), "-e", event, "-p", fmt.Sprint(os.Getpid()))
	if err != nil {
		return 0, 0, err
	}
	attach = float64(time.Since(start).Microseconds()) / 1000
	start = time.Now()
	err = stopRecord(rec, said)
	return attach, float64(time.Since(start).Microseconds()) / 1000, err
}
