package stepfunctions

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/google/uuid"
)

// intrinsicFunction is one function of the language; max is -1 for any number of arguments.
type intrinsicFunction struct {
	min, max int
	call     func(args []any) (any, error)
}

// intrinsics are the supported intrinsic functions.
// Source: https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
var intrinsics = map[string]intrinsicFunction{
	"States.Array":         {0, -1, func(args []any) (any, error) { return args, nil }},
	"States.ArrayContains": {2, 2, arrayContains},
	"States.ArrayGetItem":  {2, 2, arrayGetItem},
	"States.ArrayLength":   {1, 1, arrayLength},
	"States.Base64Decode":  {1, 1, base64Decode},
	"States.Base64Encode":  {1, 1, base64Encode},
	"States.Format":        {1, -1, format},
	"States.JsonMerge":     {3, 3, jsonMerge},
	"States.JsonToString":  {1, 1, func(args []any) (any, error) { return encode(args[0]), nil }},
	"States.MathAdd":       {2, 2, mathAdd},
	"States.StringSplit":   {2, 2, stringSplit},
	"States.StringToJson":  {1, 1, stringToJSON},
	"States.UUID":          {0, 0, func([]any) (any, error) { return uuid.NewString(), nil }},
}

func texts(args []any) ([]string, error) {
	out := make([]string, len(args))
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("argument %d is no string", i+1)
		}
		out[i] = text
	}
	return out, nil
}

func format(args []any) (any, error) {
	pattern, ok := args[0].(string)
	if !ok {
		return nil, errors.New("argument 1 is no string")
	}
	var out strings.Builder
	next := 1
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			out.WriteByte(pattern[i])
		case strings.HasPrefix(pattern[i:], "{}"):
			if next >= len(args) {
				return nil, errors.New("there are more {} than arguments")
			}
			if text, ok := args[next].(string); ok {
				out.WriteString(text)
			} else {
				out.WriteString(encode(args[next]))
			}
			next++
			i++
		default:
			out.WriteByte(pattern[i])
		}
	}
	if next != len(args) {
		return nil, errors.New("there are fewer {} than arguments")
	}
	return out.String(), nil
}

func stringToJSON(args []any) (any, error) {
	text, err := texts(args)
	if err != nil {
		return nil, err
	}
	return decode([]byte(text[0]))
}

func mathAdd(args []any) (any, error) {
	a, okA := integer(args[0])
	b, okB := integer(args[1])
	if !okA || !okB {
		return nil, errors.New("both arguments must be whole numbers")
	}
	return a + b, nil
}

func arrayLength(args []any) (any, error) {
	array, ok := args[0].([]any)
	if !ok {
		return nil, errors.New("argument 1 is no array")
	}
	return int64(len(array)), nil
}

func arrayContains(args []any) (any, error) {
	array, ok := args[0].([]any)
	if !ok {
		return nil, errors.New("argument 1 is no array")
	}
	for _, item := range array {
		if reflect.DeepEqual(item, args[1]) {
			return true, nil
		}
	}
	return false, nil
}

func arrayGetItem(args []any) (any, error) {
	array, ok := args[0].([]any)
	index, whole := integer(args[1])
	if !ok || !whole {
		return nil, errors.New("want an array and a whole number")
	}
	if index < 0 || index >= int64(len(array)) {
		return nil, fmt.Errorf("index %d is outside an array of %d", index, len(array))
	}
	return array[index], nil
}

func stringSplit(args []any) (any, error) {
	text, err := texts(args)
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for part := range strings.FieldsFuncSeq(text[0], func(r rune) bool { return strings.ContainsRune(text[1], r) }) {
		parts = append(parts, part)
	}
	return parts, nil
}

func base64Encode(args []any) (any, error) {
	text, err := texts(args)
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(text[0])), nil
}

func base64Decode(args []any) (any, error) {
	text, err := texts(args)
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(text[0])
	return string(decoded), err
}

func jsonMerge(args []any) (any, error) {
	a, okA := args[0].(map[string]any)
	b, okB := args[1].(map[string]any)
	if !okA || !okB {
		return nil, errors.New("the first two arguments must be objects")
	}
	if args[2] != false {
		return nil, errors.New("the third argument must be false: a deep merge is not supported")
	}
	merged := maps.Clone(a)
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, b)
	return merged, nil
}
