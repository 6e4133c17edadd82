package functiontest

import (
	"bytes"
	"encoding/json"
	"testing"

	"fanmail/shared/metrics"
)

// Metrics adds up the metrics among the lines of a function's log: their sums, and the largest value of each. A line
// of metrics that belongs to no stage fails the test.
func Metrics(t testing.TB, log []byte) (sums, largest map[string]float64) {
	t.Helper()
	sums, largest = map[string]float64{}, map[string]float64{}
	for line := range bytes.Lines(log) {
		var values map[string]any
		if !bytes.Contains(line, []byte(`"_aws"`)) {
			continue
		}
		if err := json.Unmarshal(line, &values); err != nil || values[metrics.Dimension] == nil {
			t.Fatalf("the line %s: %v", line, err)
		}
		for name, value := range values {
			if number, ok := value.(float64); ok {
				sums[name] += number
				largest[name] = max(largest[name], number)
			}
		}
	}
	return sums, largest
}
