//go:build !linux

package lambda

import (
	"os"
	"syscall"
	"time"
)

// processAttributes make a process group of its own. If we are killed, the system itself ends a frozen process of an
// orphaned group (SIGHUP and SIGCONT), and one that runs loses its Runtime API, on which aws-lambda-go exits.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// residentPeak is not to be had for a living process.
func residentPeak(int) int64 { return 0 }

// standsStill gives the signal a moment, because the system does not tell.
func standsStill(int) bool {
	time.Sleep(20 * time.Millisecond)
	return true
}

// exitMemory is the highest resident set of a process that has ended, in bytes (macOS).
func exitMemory(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss)
	}
	return 0
}
