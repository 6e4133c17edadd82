package lambda

import (
	"bufio"
	"bytes"
	"os"
	"sync"
)

// maxTail is how much of the log an invocation with X-Amz-Log-Type Tail gets, in bytes.
const maxTail = 4 << 10

// output carries what a process writes into the function's log. We write the lines around an invocation into the same
// pipe: whoever reads our line has read everything that the process wrote before.
type output struct {
	write *os.File // the pipe's end that the process holds, too

	mu     sync.Mutex
	closed bool
	start  string
	report string
	tail   []byte
	done   chan []byte
}

// newOutput copies to log, which may be nil.
func newOutput(log *os.File) (*output, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o := &output{write: write, done: make(chan []byte, 1)}
	go o.copy(read, log)
	return o, nil
}

func (o *output) copy(read, log *os.File) {
	defer read.Close()
	lines := bufio.NewReaderSize(read, 64<<10)
	for {
		line, err := lines.ReadSlice('\n') // also returns a part of a line that is longer than the buffer
		if log != nil {
			_, _ = log.Write(line) // a full disk must not stop the function
		}
		o.note(line)
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (o *output) note(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.start != "" && bytes.HasSuffix(line, []byte(o.start)) {
		o.tail, o.start = nil, ""
		line = line[bytes.LastIndex(line, []byte("START ")):]
	}
	o.tail = append(o.tail, line...)
	o.tail = o.tail[max(0, len(o.tail)-maxTail):]
	if o.report != "" && bytes.HasSuffix(line, []byte(o.report)) {
		o.done <- bytes.Clone(o.tail)
		o.report = ""
	}
}

// begin marks the begin of an invocation.
func (o *output) begin(id string) {
	line := "START RequestId: " + id + " Version: " + version + "\n"
	o.mu.Lock()
	o.start = line
	o.mu.Unlock()
	o.print(line)
}

// end marks the end of an invocation, and returns the log's tail since begin.
func (o *output) end(id, report string) []byte {
	o.mu.Lock()
	o.report = report
	o.mu.Unlock()
	if !o.print("END RequestId: " + id + "\n" + report) {
		return nil
	}
	return <-o.done
}

func (o *output) print(text string) bool {
	_, err := o.write.WriteString(text)
	return err == nil
}

// close ends the copying, once the process has closed its end, too.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		o.write.Close()
	}
}
