package sqs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// failures reads which messages a function reports as failed. An error means that the whole batch has failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func failures(response []byte, receipts []receipt) (map[string]bool, error) {
	failed := map[string]bool{}
	if len(bytes.TrimSpace(response)) == 0 {
		return failed, nil
	}
	// Keys are compared exactly, as on AWS: encoding/json does that only for maps, and a function must not get away with a misspelt one.
	var report map[string]json.RawMessage
	if err := json.Unmarshal(response, &report); err != nil {
		return nil, fmt.Errorf("the response is no report of failed messages: %w", err)
	}
	list, ok := report["batchItemFailures"]
	if !ok {
		return failed, nil
	}
	var items []map[string]any
	if err := json.Unmarshal(list, &items); err != nil {
		return nil, fmt.Errorf("the response's batchItemFailures is no list of objects: %w", err)
	}
	known := make(map[string]bool, len(receipts))
	for _, r := range receipts {
		known[r.id.String()] = true
	}
	for _, item := range items {
		id, _ := item["itemIdentifier"].(string)
		switch {
		case id == "":
			return nil, errors.New("the response reports a failed message without an itemIdentifier")
		case !known[id]:
			return nil, fmt.Errorf("the response reports the failed message %q, which is not in the batch", id)
		}
		failed[id] = true
	}
	return failed, nil
}
