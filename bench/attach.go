//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// attachCosts prints how long attaching to and detaching from a thousand functions takes.
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
		fmt.Printf("%s: attached %.0f ms after the start of record; ended %.0f ms after the signal\n",
			strings.Replace(event, b.targets, "", 1), median(attach), median(detach))
	}
	return nil
}

// attachTime returns how long record takes to get ready, and to end after it was told to, in
// ms.
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
