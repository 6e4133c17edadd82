package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// flatten writes the values of a JSON object into values, an object in it under its path: {"a": {"b": 1}} is a.b. A
// list of texts and numbers gives several values; another list is one value, as JSON.
func flatten(path string, value any, values map[string][]string) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if path != "" {
				key = path + "." + key
			}
			flatten(key, inner, values)
		}
	case []any:
		values[path] = append(values[path], list(v)...)
	default:
		values[path] = append(values[path], scalar(v))
	}
}

func list(v []any) []string {
	texts := make([]string, 0, len(v))
	for _, item := range v {
		switch item.(type) {
		case map[string]any, []any:
			whole, err := json.Marshal(v)
			if err != nil { // it came from JSON
				panic(err)
			}
			return []string{string(whole)}
		}
		texts = append(texts, scalar(item))
	}
	return texts
}

func scalar(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	default: // json.Number
		return fmt.Sprint(v)
	}
}

// jsonProblem is why something is no JSON, in a few words.
func jsonProblem(err error) string {
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return "it is of the kind " + kind.Value
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "it breaks off"
	}
	return err.Error()
}

// decodeObject takes one JSON object and nothing behind it. Numbers keep the form in which they are written.
func decodeObject(b []byte, object *map[string]any) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if err := decoder.Decode(object); err != nil {
		return err
	}
	if *object == nil {
		return errors.New("it is null")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something stands behind it")
	}
	return nil
}
