// Command coldstart measures how long the functions take from the start of their process to the first request for work,
// beside the smallest function there is. It prints figures and asserts nothing: the machine that it runs on is not Lambda's.
//
//	coldstart --starts 15 bin/coldstart/baseline/bootstrap bin/deploy/amd64/send/bootstrap ...
//
// The first program is what the others are compared with.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	starts := flag.Int("starts", 15, "how often each program is started")
	flag.Parse()
	if err := measure(flag.Args(), *starts); err != nil {
		fmt.Fprintln(os.Stderr, "coldstart:", err)
		os.Exit(1)
	}
}

// measure starts the programs in turn, so that what else the machine does slows all of them alike.
func measure(programs []string, starts int) error {
	if len(programs) == 0 || starts < 1 {
		return fmt.Errorf("name the programs, and --starts of at least 1")
	}
	took := make([][]time.Duration, len(programs))
	for range starts {
		for i, program := range programs {
			one, err := start(program)
			if err != nil {
				return err
			}
			took[i] = append(took[i], one)
		}
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "process start to first /next, %d starts\tmedian ms\tleast ms\tof baseline\t\n", starts)
	for i, program := range programs {
		fmt.Fprintf(table, "%s\t%.1f\t%.1f\t%.1f x\t\n", filepath.Base(filepath.Dir(program)),
			milliseconds(median(took[i])), milliseconds(slices.Min(took[i])), float64(median(took[i]))/float64(median(took[0])))
	}
	return table.Flush()
}

// median of an even number is the later of the two in the middle.
func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
