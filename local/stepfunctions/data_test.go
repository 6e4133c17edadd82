package stepfunctions

import (
	"strings"
	"testing"
)

func TestInputAndOutputGoThroughTheFields(t *testing.T) {
	const input = `{"a":{"b":1,"c":[1,2,3]},"t":"x","n":null,"big":12345678901234567890,"f":1.0}`
	where := "States.Runtime: An error occurred while executing the state 'S' (entered at the event id #2). "
	tests := map[string]struct{ state, want string }{
		"nothing":                     {``, `{"a":{"b":1,"c":[1,2,3]},"big":12345678901234567890,"f":1.0,"n":null,"t":"x"}`},
		"InputPath":                   {`,"InputPath":"$.a.b"`, `1`},
		"InputPath null":              {`,"InputPath":null`, `{}`},
		"OutputPath":                  {`,"OutputPath":"$.a.c[1]"`, `2`},
		"OutputPath null":             {`,"OutputPath":null`, `{}`},
		"OutputPath nowhere":          {`,"OutputPath":"$.x"`, where + `Invalid path '$.x': OutputPath leads nowhere in '{"a":{"b":1,"c":[1,2,3]},"big":12345678901234567890,"f":1.0,"n":null,"t":"x"}'`},
		"Result":                      {`,"Result":{"r":1},"OutputPath":"$.r"`, `1`},
		"ResultPath":                  {`,"Result":2,"ResultPath":"$.a.d","OutputPath":"$.a"`, `{"b":1,"c":[1,2,3],"d":2}`},
		"ResultPath new":              {`,"Result":2,"ResultPath":"$.x.y","OutputPath":"$.x"`, `{"y":2}`},
		"ResultPath null":             {`,"Result":2,"ResultPath":null,"OutputPath":"$.t"`, `"x"`},
		"ResultPath on a string":      {`,"Result":2,"ResultPath":"$.t.y"`, `States.ResultPathMatchFailure: An error occurred while executing the state 'S' (entered at the event id #2). Unable to apply step "y" to input "x"`},
		"Parameters":                  {`,"Parameters":{"k":"v","b.$":"$.a.b","deep":{"c.$":"$.a.c[*]"},"l":[{"n.$":"$.n"}]}`, `{"b":1,"deep":{"c":[1,2,3]},"k":"v","l":[{"n":null}]}`},
		"Parameters nowhere":          {`,"InputPath":"$.a","Parameters":{"x.$":"$.y"}`, where + `The JSONPath '$.y' specified for the field 'x.$' could not be found in the input '{"b":1,"c":[1,2,3]}'`},
		"nothing matched":             {`,"Parameters":{"x.$":"$.a.c[?(@ > 5)]"}`, `{"x":[]}`},
		"context":                     {`,"Parameters":{"e.$":"$$.Execution.Id","n.$":"$$.Execution.Name","s.$":"$$.State.Name","m.$":"$$.StateMachine.Name","i.$":"$$.Execution.Input.t","r.$":"$$.State.RetryCount"}`, `{"e":"arn:aws:states:us-east-1:000000000000:execution:machine:run-1","i":"x","m":"machine","n":"run-1","r":0,"s":"S"}`},
		"States.Format":               {`,"Parameters":{"x.$":"States.Format('a {} \\{\\} it\\'s {}', $.a.b, $.a.c)"}`, `{"x":"a 1 {} it's [1,2,3]"}`},
		"States.StringToJson":         {`,"Parameters":{"x.$":"States.StringToJson('{\"q\":[1]}')"}`, `{"x":{"q":[1]}}`},
		"States.JsonToString":         {`,"Parameters":{"x.$":"States.JsonToString($.a)"}`, `{"x":"{\"b\":1,\"c\":[1,2,3]}"}`},
		"States.Array":                {`,"Parameters":{"x.$":"States.Array($.a.b, 'z', 2.5, true, null, $$.State.Name)"}`, `{"x":[1,"z",2.5,true,null,"S"]}`},
		"States.MathAdd":              {`,"Parameters":{"x.$":"States.MathAdd(States.ArrayLength($.a.c), -1)"}`, `{"x":2}`},
		"States.ArrayGetItem":         {`,"Parameters":{"x.$":"States.ArrayGetItem($.a.c, 0)"}`, `{"x":1}`},
		"States.ArrayContains":        {`,"Parameters":{"x.$":"States.ArrayContains($.a.c, 3)"}`, `{"x":true}`},
		"States.StringSplit":          {`,"Parameters":{"x.$":"States.StringSplit('a.b,c', '.,')"}`, `{"x":["a","b","c"]}`},
		"States.JsonMerge":            {`,"Parameters":{"x.$":"States.JsonMerge($.a, States.StringToJson('{\"b\":2}'), false)"}`, `{"x":{"b":2,"c":[1,2,3]}}`},
		"States.Base64":               {`,"Parameters":{"x.$":"States.Base64Decode(States.Base64Encode('ü'))"}`, `{"x":"ü"}`},
		"an intrinsic function fails": {`,"Parameters":{"x.$":"States.StringToJson('{')"}`, `States.IntrinsicFailure: An error occurred while executing the state 'S' (entered at the event id #2). The function 'States.StringToJson' had the following error: unexpected EOF`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := run(t, Config{}, oneState(`"Type":"Pass","End":true`+test.state), input)
			ended(t, e, test.want)
		})
	}
}

func TestChoiceComparesLikeAWS(t *testing.T) {
	const input = `{"s":"abc","n":3,"f":3.0,"t":"2026-01-02T03:04:05Z","u":"2026-01-02T04:04:05+01:00","b":true,"z":null}`
	tests := map[string]string{
		`"Variable":"$.s","StringEquals":"abc"`:                                          "yes",
		`"Variable":"$.s","StringEquals":3`:                                              "no",
		`"Variable":"$.s","StringEqualsPath":"$.s"`:                                      "yes",
		`"Variable":"$.s","StringLessThan":"abd"`:                                        "yes",
		`"Variable":"$.s","StringGreaterThanEquals":"abd"`:                               "no",
		`"Variable":"$.s","StringMatches":"a*c"`:                                         "yes",
		`"Variable":"$.s","StringMatches":"a\\*c"`:                                       "no",
		`"Variable":"$.n","NumericEquals":3.0`:                                           "yes",
		`"Variable":"$.n","NumericEqualsPath":"$.f"`:                                     "yes",
		`"Variable":"$.s","NumericEquals":3`:                                             "no",
		`"Variable":"$.n","NumericLessThanEquals":2`:                                     "no",
		`"Variable":"$.n","NumericGreaterThan":2`:                                        "yes",
		`"Variable":"$.b","BooleanEquals":true`:                                          "yes",
		`"Variable":"$.b","BooleanEquals":false`:                                         "no",
		`"Variable":"$.t","TimestampEqualsPath":"$.u"`:                                   "yes",
		`"Variable":"$.t","TimestampLessThan":"2026-01-02T03:04:06Z"`:                    "yes",
		`"Variable":"$.s","IsTimestamp":false`:                                           "yes",
		`"Variable":"$.t","IsTimestamp":true`:                                            "yes",
		`"Variable":"$.z","IsNull":true`:                                                 "yes",
		`"Variable":"$.n","IsNumeric":true`:                                              "yes",
		`"Variable":"$.n","IsString":true`:                                               "no",
		`"Variable":"$.b","IsBoolean":true`:                                              "yes",
		`"Variable":"$.x","IsPresent":false`:                                             "yes",
		`"Variable":"$.z","IsPresent":true`:                                              "yes",
		`"Not":{"Variable":"$.n","NumericEquals":3}`:                                     "no",
		`"And":[{"Variable":"$.x","IsPresent":true},{"Variable":"$.x","IsNull":true}]`:   "no",
		`"Or":[{"Variable":"$.n","NumericEquals":4},{"Variable":"$.s","IsString":true}]`: "yes",
		`"Variable":"$.x","StringEquals":"a"`: "States.Runtime: An error occurred while executing the state 'S' (entered at the event id #2). " +
			"Invalid path '$.x': The choice state's condition path references an invalid value.",
	}
	for rule, want := range tests {
		t.Run(rule, func(t *testing.T) {
			e := run(t, Config{}, `{"StartAt":"S","States":{
				"S":{"Type":"Choice","Choices":[{`+rule+`,"Next":"Yes"}],"Default":"No"},
				"Yes":{"Type":"Pass","Result":"yes","End":true},"No":{"Type":"Pass","Result":"no","End":true}}}`, input)
			if !strings.Contains(want, " ") {
				want = `"` + want + `"`
			}
			ended(t, e, want)
		})
	}
}

func TestAChoiceWithoutAMatchFails(t *testing.T) {
	e := run(t, Config{}, oneState(`"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"S"}]`), `{}`)
	ended(t, e, "States.NoChoiceMatched: An error occurred while executing the state 'S' (entered at the event id #2). "+
		"Failed to transition out of the state. The state does not point to a next state.")
}

func TestFailTakesErrorAndCauseFromTheInput(t *testing.T) {
	e := run(t, Config{}, oneState(`"Type":"Fail","ErrorPath":"$.e.Error","CausePath":"States.Format('because {}', $.e.Cause)"`),
		`{"e":{"Error":"Oops","Cause":"x"}}`)
	ended(t, e, "Oops: because x")
	told(t, e, `
1<-0 ExecutionStarted
2<-0 FailStateEntered S
3<-2 ExecutionFailed Oops
`)
}

func TestFailDoesNotRaiseANameOfStepFunctionsOwn(t *testing.T) {
	e := run(t, Config{}, oneState(`"Type":"Fail","ErrorPath":"$.Error"`), `{"Error":"States.Timeout"}`)
	ended(t, e, "States.Runtime: An error occurred while executing the state 'S' (entered at the event id #2). "+
		"The ErrorPath gives States.Timeout: a Fail state with a name of Step Functions' own is not supported")
}
