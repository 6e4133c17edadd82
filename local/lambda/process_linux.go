package lambda

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// processAttributes make a process group of its own, which dies with us even if we are killed.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// residentPeak is the high-water mark of the resident set of a living process, in bytes; 0 if it is gone.
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, line, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	line, _, _ = bytes.Cut(line, []byte("kB\n"))
	kilobytes, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64) // 0 for a zombie, which has no such line
	return kilobytes << 10
}

// standsStill tells whether every thread of a process is stopped; the first one may be before the others.
func standsStill(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if err != nil {
			return false // it has just ended: look again
		}
		// pid (name) state ...: the name may hold anything, brackets too.
		_, state, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
		if len(state) == 0 || state[0] != 'T' {
			return false
		}
	}
	return true
}

// exitMemory is 0: ru_maxrss of Linux starts at the peak of the process that forked (us), so it may be far too high.
func exitMemory(*os.ProcessState) int64 { return 0 }
