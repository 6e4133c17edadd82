package main

// inputObject is the input of an execution, which may be any JSON, as the object that it has to be.
func inputObject(in any) (map[string]any, error) {
	object, ok := in.(map[string]any)
	if ok || in == nil {
		return object, nil
	}
	kind := "a number"
	switch in.(type) {
	case string:
		kind = "a string"
	case []any:
		kind = "a list"
	case bool:
		kind = "true or false"
	}
	return nil, badInput("the execution's input is %s and no JSON object", kind)
}
