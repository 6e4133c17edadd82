// Package terminal writes for people: progress while they wait, tables at the end. A bar is drawn only on a terminal;
// elsewhere (a file, a pipe, CI) progress is a few plain lines.
package terminal

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress tells how far a long piece of work is. Done takes away what a terminal shows only for the while.
type Progress interface {
	// Step says in a few words what is being done now.
	Step(text string)
	// Count says the same of work that can be counted; total may grow, and 0 means not known yet.
	Count(text string, done, total int64)
	Done()
}

// NewProgress returns a bar where w is a terminal, else plain lines.
func NewProgress(w io.Writer) Progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bar{w: w}
	}
	return &lines{w: w, now: time.Now}
}

type bar struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	text string
}

func (b *bar) Step(text string) { b.Count(text, 0, 0) }

func (b *bar) Count(text string, done, total int64) {
	if total <= 0 {
		b.Done()
		if text != b.text {
			fmt.Fprintln(b.w, text)
		}
		b.text = text
		return
	}
	b.text = text
	if b.bar != nil && b.bar.IsFinished() && done < total {
		b.Done() // a finished bar can't be drawn again, but the total may grow
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionUseANSICodes(false))
	}
	b.bar.Describe(text)
	b.bar.ChangeMax64(total)
	b.bar.Set64(done) // a bar that can't be drawn must not stop the work
}

func (b *bar) Done() {
	if b.bar != nil {
		b.bar.Clear()
		b.bar = nil
	}
}

const (
	// linePercent and lineEvery bound how often plain lines are written: at every tenth of the work, and every half minute.
	linePercent = 10
	lineEvery   = 30 * time.Second
)

type lines struct {
	w       io.Writer
	now     func() time.Time
	text    string
	percent int64
	at      time.Time
}

func (l *lines) Step(text string) { l.Count(text, 0, 0) }

func (l *lines) Count(text string, done, total int64) {
	percent := int64(0)
	if total > 0 {
		percent = done * 100 / total
	}
	if text == l.text && percent < l.percent+linePercent && l.now().Sub(l.at) < lineEvery {
		return
	}
	if total > 0 {
		fmt.Fprintf(l.w, "%s: %s of %s (%d %%)\n", text, Number(done), Number(total), percent)
	} else {
		fmt.Fprintln(l.w, text)
	}
	l.text, l.percent, l.at = text, percent, l.now()
}

func (l *lines) Done() {}
