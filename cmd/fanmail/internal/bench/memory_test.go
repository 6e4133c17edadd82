package bench

import (
	"strings"
	"testing"
)

func TestPeakHeapIsTheLargestSizeOfAnyCollection(t *testing.T) {
	const log = `START RequestId: 1 Version: $LATEST
gc 1 @0.003s 5%: 0.011+1.2+0.004 ms clock, 0.022+0.5/0.9/0+0.009 ms cpu, 3->4->1 MB, 4 MB goal, 0 MB stacks, 0 MB globals, 2 P
gc 2 @0.010s 6%: 0.011+1.2+0.004 ms clock, 0.022+0.5/0.9/0+0.009 ms cpu, 7->17->3 MB, 8 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)
{"level":"INFO","msg":"gc 99 is no line of gctrace, 900->900->900 MB, really"}
gc 3 @0.020s 6%: cut off, 5->x->3 MB, 8 MB goal
gc 4 @0.020s 6%: without sizes`
	if got := peakHeap(strings.NewReader(log)); got != 18<<20 {
		t.Errorf("got %d bytes, want 18 MiB: 17 rounded up", got)
	}
	if got := peakHeap(strings.NewReader("START\nEND\n")); got != 0 {
		t.Errorf("got %d bytes from a log without collections", got)
	}
}
