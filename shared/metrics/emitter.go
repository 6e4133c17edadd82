package metrics

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"time"
)

// Value is a metric at a moment.
type Value struct {
	Name  string
	Value float64
}

// Of is the value of a count.
func Of[N int | int64 | float64](name string, value N) Value { return Value{name, float64(value)} }

// Emitter writes metrics as lines of JSON in the embedded metric format, which CloudWatch Logs makes metrics of.
// Whatever the log format of a function is, Lambda passes on a line that is JSON as it stands, on runtimes that are
// not its own.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
type Emitter struct {
	stage string
	out   io.Writer
}

// New returns an emitter for a stage. With stage "" nothing is written.
func New(stage string, out io.Writer) *Emitter { return &Emitter{stage: stage, out: out} }

// FromEnvironment returns the emitter of a function, for FANMAIL_STAGE.
func FromEnvironment() *Emitter { return New(os.Getenv("FANMAIL_STAGE"), os.Stdout) }

// directive says which members of a line are metrics, and which one is the dimension.
type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct {
	Name string
	Unit string
}

// Emit writes the values as one line. A function does not fail for its metrics: what can't be written is a warning in
// its log.
func (e *Emitter) Emit(values ...Value) {
	if e == nil || e.stage == "" {
		return
	}
	line := map[string]any{Dimension: e.stage}
	d := directive{Namespace: Namespace, Dimensions: [][]string{{Dimension}}}
	for _, v := range values {
		unit, ours := units[v.Name]
		if !ours {
			slog.Warn("no such metric", "name", v.Name)
			continue
		}
		line[v.Name] = v.Value
		d.Metrics = append(d.Metrics, definition{v.Name, unit})
	}
	if len(d.Metrics) == 0 {
		return
	}
	line["_aws"] = map[string]any{"Timestamp": time.Now().UnixMilli(), "CloudWatchMetrics": []directive{d}}
	text, err := json.Marshal(line)
	if err == nil {
		_, err = e.out.Write(append(text, '\n'))
	}
	if err != nil {
		slog.Warn("writing metrics", "error", err.Error())
	}
}
