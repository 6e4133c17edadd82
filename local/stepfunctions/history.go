package stepfunctions

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"sync"
	"time"
)

// history is the events of one execution: open while it runs, packed when it ended. A child's packed history takes a few
// hundred bytes, because it is compressed with the history of the Map Run's first child as dictionary.
type history struct {
	open []event
	// last is the event that the next one follows.
	last   int
	packed []byte
	dict   *dictionary
	count  int
}

// add appends an event after the last one and gives its id.
func (h *history) add(ev event) int {
	ev.previous = h.last
	h.open = append(h.open, ev)
	h.count = len(h.open)
	h.last = h.count
	return h.last
}

// events are all events in order, unpacked if need be.
func (h *history) events() []event {
	if h.packed == nil {
		return h.open
	}
	var kept []packedEvent
	if err := json.Unmarshal(h.dict.expand(h.packed), &kept); err != nil {
		panic("stepfunctions: unpacking a history: " + err.Error())
	}
	events := make([]event, len(kept))
	for i, k := range kept {
		events[i] = event{kind: k.Kind, previous: k.Previous, at: time.UnixMilli(k.At), name: k.Name, data: k.Data, number: k.Number}
		if k.Failed {
			events[i].failed = &failure{name: k.Error, cause: k.Cause}
		}
	}
	return events
}

// pack compresses the history of an execution that ended.
func (h *history) pack(dict *dictionary) {
	kept := make([]packedEvent, len(h.open))
	for i, e := range h.open {
		kept[i] = packedEvent{Kind: e.kind, Previous: e.previous, At: e.at.UnixMilli(), Name: e.name, Data: e.data, Number: e.number}
		if e.failed != nil {
			kept[i].Failed, kept[i].Error, kept[i].Cause = true, e.failed.name, e.failed.cause
		}
	}
	h.packed = dict.compress([]byte(encode(kept)))
	h.dict = dict
	h.open = nil
}

// dictionary compresses texts that resemble each other; the first one becomes the dictionary of the rest.
type dictionary struct {
	mu               sync.Mutex
	sample           []byte
	writers, readers sync.Pool
}

// expand is the text that compress was given.
func (d *dictionary) expand(packed []byte) []byte {
	var reader io.ReadCloser
	if d == nil {
		reader = flate.NewReader(bytes.NewReader(packed))
	} else {
		d.mu.Lock()
		sample := d.sample
		d.mu.Unlock()
		var ok bool
		if reader, ok = d.readers.Get().(io.ReadCloser); ok {
			// Resetting to a bytes.Reader does not fail.
			_ = reader.(flate.Resetter).Reset(bytes.NewReader(packed), sample)
		} else {
			reader = flate.NewReaderDict(bytes.NewReader(packed), sample)
		}
		defer d.readers.Put(reader)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		panic("stepfunctions: expanding a history: " + err.Error())
	}
	return text
}

// compress needs no dictionary: d may be nil.
func (d *dictionary) compress(text []byte) []byte {
	var out bytes.Buffer
	var writer *flate.Writer
	if d == nil {
		// Only an unknown level is an error.
		writer, _ = flate.NewWriter(&out, flate.BestSpeed)
	} else {
		d.mu.Lock()
		if d.sample == nil {
			d.sample = bytes.Clone(text)
		}
		d.mu.Unlock()
		var ok bool
		if writer, ok = d.writers.Get().(*flate.Writer); ok {
			writer.Reset(&out)
		} else {
			// Levels below 2 would ignore the dictionary.
			writer, _ = flate.NewWriterDict(&out, 4, d.sample)
		}
		defer d.writers.Put(writer)
	}
	// Writes to a bytes.Buffer do not fail.
	_, _ = writer.Write(text)
	_ = writer.Close()
	return bytes.Clone(out.Bytes())
}
