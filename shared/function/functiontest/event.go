// Package functiontest is what the tests of the Lambda functions share.
package functiontest

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// Event reads the function's sample event, event.json in the test's folder, as strictly as package function reads its input.
func Event[In any](t testing.TB) In {
	t.Helper()
	var in In
	data, err := os.ReadFile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		t.Fatal(err)
	}
	return in
}
