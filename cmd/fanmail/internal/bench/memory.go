package bench

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"fanmail/local/lambda"
)

const (
	senderFunction  = "fanmail-local-send"
	prepareFunction = "fanmail-local-prepare"
)

// FunctionEnvironment makes Go tell of every garbage collection in the function's log, from which the heap is read.
func FunctionEnvironment() map[string]string { return map[string]string{"GODEBUG": "gctrace=1"} }

// Memory is the most that one environment of a function had, in bytes; 0 is not known.
type Memory struct {
	// Resident is the whole process in memory, the program's own pages included.
	Resident int64 `json:"resident"`
	// Heap is Go's heap, live objects and garbage, at the end of the garbage collection when it was largest: rounded up to
	// whole MiB, in which Go tells it. 0 also when nothing was ever collected.
	Heap int64 `json:"heap"`
}

func (b Bench) memory(stats map[string]lambda.Stats, function string) Memory {
	m := Memory{Resident: stats[function].PeakMemory}
	log, err := os.Open(filepath.Join(b.Runtime.Directory(), "logs", function+".log"))
	if err != nil {
		return m
	}
	defer log.Close()
	m.Heap = peakHeap(log)
	return m
}

// peakHeap is the largest heap in a log with lines of gctrace, in bytes:
//
//	gc # @#s #%: #+#+# ms clock, #+#/#/#+# ms cpu, #->#-># MB, # MB goal, ...
//
// The three sizes are the heap when the collection starts and when it ends, and what of it is live.
// https://pkg.go.dev/runtime#hdr-Environment_Variables
func peakHeap(log io.Reader) int64 {
	var peak int64
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if sizes, ok := heapSizes(line); ok {
			for _, mebibytes := range sizes {
				peak = max(peak, (mebibytes+1)<<20)
			}
		}
		if err != nil {
			return peak
		}
	}
}

// heapSizes takes the sizes out of a line of gctrace.
func heapSizes(line string) (sizes [3]int64, ok bool) {
	if !strings.HasPrefix(line, "gc ") {
		return sizes, false
	}
	for part := range strings.SplitSeq(line, ", ") {
		part, isSize := strings.CutSuffix(part, " MB")
		numbers := strings.Split(part, "->")
		if !isSize || len(numbers) != len(sizes) {
			continue
		}
		var problems error
		for i, number := range numbers {
			n, err := strconv.ParseInt(number, 10, 64)
			sizes[i], problems = n, errors.Join(problems, err)
		}
		return sizes, problems == nil
	}
	return sizes, false
}
