package metrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// breaches holds a line against the rules of the embedded metric format.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func breaches(line []byte) (found []string) {
	breach := func(format string, values ...any) { found = append(found, fmt.Sprintf(format, values...)) }
	if bytes.IndexByte(line, '\n') != len(line)-1 {
		breach("it is not one line")
	}
	if len(line) > 256<<10 {
		breach("it has %d bytes, and a log event 256 KiB at most", len(line))
	}
	var root map[string]any
	if err := json.Unmarshal(line, &root); err != nil {
		return append(found, "it is no JSON object: "+err.Error())
	}
	metadata, _ := root["_aws"].(map[string]any)
	at, _ := metadata["Timestamp"].(float64)
	if at != math.Trunc(at) || at < 1e12 || at > float64(time.Now().Add(2*time.Hour).UnixMilli()) {
		breach("the Timestamp %v is no time in milliseconds", metadata["Timestamp"])
	}
	directives, _ := metadata["CloudWatchMetrics"].([]any)
	if len(directives) == 0 {
		breach("there are no CloudWatchMetrics")
	}
	for _, raw := range directives {
		directive, _ := raw.(map[string]any)
		if namespace, _ := directive["Namespace"].(string); len(namespace) < 1 || len(namespace) > 255 || strings.HasPrefix(namespace, "AWS/") {
			breach("the namespace is %q", namespace)
		}
		sets, _ := directive["Dimensions"].([]any)
		if len(sets) == 0 {
			breach("there is no set of dimensions")
		}
		for _, set := range sets {
			names, _ := set.([]any)
			if len(names) > 30 {
				breach("a metric has 30 dimensions at most")
			}
			for _, name := range names {
				if value, ok := root[fmt.Sprint(name)].(string); !ok || value == "" || len(value) > 1024 {
					breach("the dimension %v has the value %v", name, root[fmt.Sprint(name)])
				}
			}
		}
		metrics, _ := directive["Metrics"].([]any)
		if len(metrics) < 1 || len(metrics) > 100 {
			breach("there are %d metrics, want 1 to 100", len(metrics))
		}
		for _, raw := range metrics {
			metric, _ := raw.(map[string]any)
			name, _ := metric["Name"].(string)
			if len(name) < 1 || len(name) > 255 {
				breach("a metric is called %q", name)
			}
			if unit, _ := metric["Unit"].(string); !slices.Contains([]string{"Count", "Count/Second", "Seconds", "Milliseconds", "Bytes", "Percent", "None"}, unit) {
				breach("the unit of %s is %q", name, unit)
			}
			if _, ok := root[name].(float64); !ok {
				breach("%s has the value %v, want a number", name, root[name])
			}
		}
	}
	return found
}

func TestALineIsInTheEmbeddedMetricFormat(t *testing.T) {
	var out bytes.Buffer
	var all []Value
	for name := range units {
		all = append(all, Of(name, 7))
	}
	New("prod", &out).Emit(all...)
	if found := breaches(out.Bytes()); found != nil {
		t.Errorf("%q in %s", found, out.String())
	}
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["Stage"] != "prod" || line[Accepted] != 7.0 || len(line) != len(units)+2 {
		t.Errorf("%s", out.String())
	}
}

func TestTheRulesOfTheFormatSeeTheirBreaches(t *testing.T) {
	var out bytes.Buffer
	New("prod", &out).Emit(Of(Accepted, 7), Of(AccountRate, 14.5))
	good := out.String()
	for _, test := range []struct{ old, new, want string }{
		{"\n", "\n{}\n", "it is not one line"},
		{"{", "INFO {", "it is no JSON object"},
		{`"_aws"`, `"aws"`, "there are no CloudWatchMetrics"},
		{`"Timestamp":1`, `"Timestamp":"now","x":1`, "is no time in milliseconds"},
		{`"Namespace":"Fanmail"`, `"Namespace":""`, "the namespace is"},
		{`[["Stage"]]`, `[]`, "there is no set of dimensions"},
		{`"Stage":"prod"`, `"Stage":1`, "the dimension Stage has the value 1"},
		{`"Unit":"Count"`, `"Unit":"Messages"`, `the unit of Accepted is "Messages"`},
		{`"Accepted":7`, `"Accepted":"7"`, "Accepted has the value 7, want a number"},
		{`"Name":"Accepted"`, `"Name":""`, `a metric is called ""`},
	} {
		if !strings.Contains(good, test.old) {
			t.Fatalf("%s has no %s", good, test.old)
		}
		found := breaches([]byte(strings.Replace(good, test.old, test.new, 1)))
		if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, test.want) }) {
			t.Errorf("%s for %s: found %q, want %q", test.new, test.old, found, test.want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("stdout is closed") }

func TestMetricsThatCanNotBeWrittenDoNoHarm(t *testing.T) {
	var none *Emitter
	none.Emit(Of(Accepted, 1))
	New("prod", broken{}).Emit(Of(Accepted, 1))
	var out bytes.Buffer
	New("", &out).Emit(Of(Accepted, 1))
	New("prod", &out).Emit()
	New("prod", &out).Emit(Of("Opened", 1))
	New("prod", &out).Emit(Of(AccountRate, math.NaN()))
	if out.Len() > 0 {
		t.Errorf("wrote %s", out.String())
	}
}
