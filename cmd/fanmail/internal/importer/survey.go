package importer

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"fanmail/shared/recipients"
)

// maxProblems is how many problems are reported, a line each.
const maxProblems = 20

// scan is one import.
type scan struct {
	options  Options
	columns  columns
	optedOut addresses
	read     int64
}

// addresses are a set of addresses, as hashes: two different ones are taken for the same once in 10^7 exports of a
// million.
type addresses struct {
	seed  maphash.Seed
	known map[uint64]struct{}
}

func newAddresses() addresses { return addresses{maphash.MakeSeed(), map[uint64]struct{}{}} }

// add is false when the address was there.
func (a addresses) add(address string) bool {
	before := len(a.known)
	a.known[maphash.String(a.seed, address)] = struct{}{}
	return len(a.known) > before
}

func (a addresses) has(address string) bool {
	_, there := a.known[maphash.String(a.seed, address)]
	return there
}

// problems are what stops an import. All are counted, and the first are kept.
type problems struct {
	first []error
	count int
}

func (p *problems) add(err error) {
	if p.count++; p.count <= maxProblems {
		p.first = append(p.first, err)
	}
}

func (p *problems) err() error {
	if p.count > maxProblems {
		return errors.Join(append(p.first,
			fmt.Errorf("and %d more problems; nothing is written", p.count-maxProblems))...)
	}
	return errors.Join(p.first...)
}

// survey is the first pass. It finds the columns, all who have opted out, and all problems.
func (s *scan) survey(ctx context.Context) error {
	var found problems
	for _, path := range s.options.Files {
		if err := s.look(ctx, s.options.Format, path, &found, s.note); err != nil {
			return err
		}
	}
	for _, path := range s.options.OptedOut {
		format, err := optOutFormat(ctx, path)
		if err != nil {
			found.add(err)
			continue
		}
		if err := s.look(ctx, format, path, &found, s.noteOptOut); err != nil {
			return err
		}
	}
	return found.err()
}

// look shows the records of a file that can be understood. The others are problems.
func (s *scan) look(ctx context.Context, f Format, path string, found *problems, note func(record, verdict)) error {
	err := f.each(ctx, path, func(r record, p *problem) error {
		s.seen()
		if p != nil {
			found.add(p)
			return nil
		}
		v := f.judge(r)
		if v.problem != "" {
			found.add(&problem{r.file, r.line, v.problem})
			return nil
		}
		note(r, v)
		return nil
	})
	var whole *problem
	if errors.As(err, &whole) {
		found.add(whole)
		return nil
	}
	return err
}

func (s *scan) note(r record, v verdict) {
	switch {
	case v.otherChannel != "":
	case v.optedOut != "":
		s.noteOptOut(r, v)
	case v.inactive == "":
		s.columns.add(r)
	}
}

func (s *scan) noteOptOut(_ record, v verdict) {
	// What is no address is never mailed anyway.
	if address, err := recipients.Normalise(v.address); err == nil {
		s.optedOut.add(address)
	}
}

func (s *scan) seen() {
	if s.read++; s.options.Seen != nil {
		s.options.Seen(s.read)
	}
}

// optOutFormat is a list of addresses that have opted out: any CSV file with a column email or address.
func optOutFormat(ctx context.Context, path string) (Format, error) {
	var err error
	for _, column := range []string{"email", "Email", "address", "Address"} {
		f := Format{Name: "a list of addresses", addressPath: column,
			judge: func(r record) verdict { return verdict{address: r.get(column)} }}
		if err = f.each(ctx, path, func(record, *problem) error { return errStop }); err == nil || errors.Is(err, errStop) {
			return f, nil
		}
		if !strings.Contains(err.Error(), "has no column") {
			return f, err
		}
	}
	return Format{}, &problem{path, 1, `the header row has no column "email" or "address"`}
}

var errStop = errors.New("stop")
