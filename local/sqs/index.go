package sqs

import (
	"container/heap"
	"time"
)

// entry is what memory knows of a message: everything else is on disk.
type entry struct {
	number    uint64 // the key in the file; grows with each message of the queue
	visibleAt int64  // Unix milliseconds
	received  uint32 // how often
	doubled   bool   // it was deleted, and is delivered once more
	in        *entries
	position  int
}

// entries is a heap of messages, the first visible on top.
type entries []*entry

func (h entries) Len() int { return len(h) }
func (h entries) Less(i, j int) bool {
	if h[i].visibleAt != h[j].visibleAt {
		return h[i].visibleAt < h[j].visibleAt
	}
	return h[i].number < h[j].number
}

func (h entries) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].position, h[j].position = i, j
}

func (h *entries) Push(x any) {
	e := x.(*entry)
	e.in, e.position = h, len(*h)
	*h = append(*h, e)
}

func (h *entries) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.in = nil
	return e
}

// index knows when each message of a queue is visible.
type index struct {
	all                      map[uint64]*entry
	visible, delayed, flying entries
}

func newIndex() index { return index{all: map[uint64]*entry{}} }

// put adds a message that is in no heap.
func (x *index) put(e *entry, now time.Time) {
	x.all[e.number] = e
	switch {
	case e.visibleAt <= now.UnixMilli():
		heap.Push(&x.visible, e)
	case e.received == 0:
		heap.Push(&x.delayed, e)
	default:
		heap.Push(&x.flying, e)
	}
}

// take removes a message from its heap, so that it can be changed and put again.
func (x *index) take(e *entry) {
	if e.in != nil {
		heap.Remove(e.in, e.position)
	}
}

// remove forgets a message.
func (x *index) remove(e *entry) {
	x.take(e)
	delete(x.all, e.number)
}

// promote makes visible what is due.
func (x *index) promote(now time.Time) {
	for _, waiting := range []*entries{&x.delayed, &x.flying} {
		for len(*waiting) > 0 && (*waiting)[0].visibleAt <= now.UnixMilli() {
			heap.Push(&x.visible, heap.Pop(waiting))
		}
	}
}

// next is when the next message that is now hidden becomes visible; the zero time when there is none.
func (x *index) next() time.Time {
	var at time.Time
	for _, waiting := range []entries{x.delayed, x.flying} {
		if len(waiting) > 0 {
			if t := time.UnixMilli(waiting[0].visibleAt); at.IsZero() || t.Before(at) {
				at = t
			}
		}
	}
	return at
}

func (x *index) counts(now time.Time) Counts {
	x.promote(now)
	return Counts{Visible: len(x.visible), InFlight: len(x.flying), Delayed: len(x.delayed)}
}
