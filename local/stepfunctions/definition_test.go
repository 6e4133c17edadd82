package stepfunctions

import (
	"strings"
	"testing"
)

const okTask = `"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true`

// oneState is a definition of one state S.
func oneState(fields string) string {
	return `{"StartAt":"S","States":{"S":{` + fields + `}}}`
}

// oneMap is a definition of one Map S over $ with a Pass as child.
func oneMap(fields string) string {
	return oneState(`"Type":"Map","Label":"L","ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},
		"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}},"End":true` + fields)
}

func TestWhatIsNotSupportedIsRefusedByName(t *testing.T) {
	tests := map[string]struct{ definition, want string }{
		"no JSON":              {`{`, "$: the definition is no JSON"},
		"no states":            {`{"StartAt":"S"}`, "$: a state machine needs the field States"},
		"unknown start":        {`{"StartAt":"X","States":{"S":{"Type":"Succeed"}}}`, `$.StartAt: there is no state "X"`},
		"query language":       {`{"QueryLanguage":"JSONata","StartAt":"S","States":{"S":{"Type":"Succeed"}}}`, "$.QueryLanguage: query language JSONata is not supported"},
		"state language":       {oneState(`"Type":"Succeed","QueryLanguage":"JSONata"`), "$.States.S.QueryLanguage: query language JSONata"},
		"state type":           {oneState(`"Type":"Parallel","End":true`), "$.States.S.Type: state type Parallel is not supported"},
		"field":                {oneState(okTask + `,"HeartbeatSeconds":3`), "$.States.S.HeartbeatSeconds: field HeartbeatSeconds of a Task state is not supported"},
		"variables":            {oneState(`"Type":"Pass","Assign":{"a":1},"End":true`), "$.States.S.Assign: field Assign of a Pass state"},
		"resource":             {oneState(`"Type":"Task","Resource":"arn:aws:states:::sqs:sendMessage","Parameters":{"FunctionName":"f"},"End":true`), "$.States.S.Resource: resource arn:aws:states:::sqs:sendMessage is not supported"},
		"task parameter":       {oneState(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f","LogType":"Tail"},"End":true`), "$.States.S.Parameters.LogType: parameter LogType of"},
		"no next":              {oneState(`"Type":"Pass"`), "$.States.S: a Pass state needs either Next or End"},
		"unknown next":         {oneState(`"Type":"Pass","Next":"X"`), `$.States.S.Next: there is no state "X"`},
		"unknown default":      {oneState(`"Type":"Choice","Default":"X","Choices":[{"Variable":"$.a","IsNull":true,"Next":"Y"}]`), `$.States.S.Choices[0].Next: there is no state "Y"`},
		"path":                 {oneState(`"Type":"Pass","InputPath":"a","End":true`), `$.States.S.InputPath: path "a" does not begin with $`},
		"workflow variable":    {oneState(`"Type":"Pass","Parameters":{"a.$":"$b"},"End":true`), `$.States.S.Parameters['a.$']: path "$b": workflow variables`},
		"task token":           {oneState(`"Type":"Pass","Parameters":{"a.$":"$$.Task.Token"},"End":true`), `task tokens are not supported`},
		"intrinsic":            {oneState(`"Type":"Pass","Parameters":{"a.$":"States.Hash('x','SHA-1')"},"End":true`), "intrinsic function States.Hash is not supported"},
		"inner intrinsic":      {oneState(`"Type":"Pass","Parameters":{"a":[{"b.$":"States.Format('{}', States.MathRandom(1,2))"}]},"End":true`), "$.States.S.Parameters.a[0]['b.$']: intrinsic function \"States.Format('{}', States.MathRandom(1,2))\": intrinsic function States.MathRandom is not supported"},
		"operator":             {oneState(`"Type":"Choice","Choices":[{"And":[{"Variable":"$.a","StringLike":"x"}],"Next":"S"}]`), "$.States.S.Choices[0].And[0].StringLike: comparison operator StringLike is not supported"},
		"retry field":          {oneState(okTask + `,"Retry":[{"ErrorEquals":["A"],"Interval":3}]`), "$.States.S.Retry[0].Interval: field Interval of a Retry entry"},
		"jitter":               {oneState(okTask + `,"Retry":[{"ErrorEquals":["A"],"JitterStrategy":"HALF"}]`), "$.States.S.Retry[0].JitterStrategy: jitter strategy HALF is not supported"},
		"states.all not last":  {oneState(okTask + `,"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["A"]}]`), "$.States.S.Retry[0]: States.ALL must stand in the last entry"},
		"states.all not alone": {oneState(okTask + `,"Catch":[{"ErrorEquals":["States.ALL","A"],"Next":"S"}]`), "$.States.S.Catch[0].ErrorEquals[0]: States.ALL must stand alone"},
		"reserved error":       {oneState(okTask + `,"Retry":[{"ErrorEquals":["States.Foo"]}]`), "$.States.S.Retry[0].ErrorEquals[0]: error name States.Foo"},
		"reserved failure":     {oneState(`"Type":"Fail","Error":"States.Timeout"`), "$.States.S.Error: a Fail state with a name of Step Functions' own, States.Timeout, is not supported"},
		"intrinsic of a Fail":  {oneState(`"Type":"Fail","CausePath":"States.StringToJson($.a)"`), "$.States.S.CausePath: States.StringToJson is not one of the intrinsic functions of a Fail state"},
		"inline map":           {oneState(`"Type":"Map","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Succeed"}},"ProcessorConfig":{"Mode":"INLINE"}},"End":true`), "$.States.S.ItemProcessor.ProcessorConfig.Mode: mode INLINE of a Map is not supported"},
		"express map":          {strings.Replace(oneMap(``), `"STANDARD"`, `"EXPRESS"`, 1), "ExecutionType: execution type EXPRESS is not supported"},
		"batcher":              {oneMap(`,"ItemBatcher":{"MaxItemsPerBatch":2}`), "$.States.S.ItemBatcher: field ItemBatcher of a Map state"},
		"reader":               {oneMap(`,"ItemReader":{"Resource":"arn:aws:states:::s3:listObjectsV2","ReaderConfig":{"InputType":"JSON"},"Parameters":{"Bucket":"b","Key":"k"}}`), "reader arn:aws:states:::s3:listObjectsV2 is not supported"},
		"reader type":          {oneMap(`,"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"PARQUET"},"Parameters":{"Bucket":"b","Key":"k"}}`), "input type PARQUET is not supported"},
		"writer config":        {oneMap(`,"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"b"},"WriterConfig":{}}`), "$.States.S.ResultWriter.WriterConfig: field WriterConfig"},
		"two concurrencies":    {oneMap(`,"MaxConcurrency":1,"MaxConcurrencyPath":"$.a"`), "$.States.S.MaxConcurrencyPath: can't stand beside MaxConcurrency"},
		"function":             {oneState(`"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":{"Fn::GetAtt":["nobody","Arn"]}},"End":true`), `$.States.S.Parameters.FunctionName.Fn::GetAtt`},
		"cloudformation":       {oneState(`"Type":"Pass","Result":{"Ref":"X"},"End":true`), "$.States.S.Result.Ref: Ref is not supported here"},
		"too large":            {oneState(`"Type":"Pass","End":true,"Comment":"` + strings.Repeat("x", maxDefinitionBytes) + `"`), "more than the 1048576"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := parseDefinition([]byte(test.definition), nil)
			want := strings.Replace(test.want, ".Fn::GetAtt", "['Fn::GetAtt']", 1)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

func TestAllProblemsAreReportedTogether(t *testing.T) {
	_, err := parseDefinition([]byte(oneState(`"Type":"Pass","InputPath":"x","Foo":1`)), nil)
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v\nwant three lines", err)
	}
}

func FuzzLoadingAndRunningNeverPanics(f *testing.F) {
	f.Add(oneMap(`,"ItemSelector":{"a.$":"States.Format('{}', $$.Map.Item.Index)"}`), `[1]`)
	f.Add(oneState(`"Type":"Choice","Choices":[{"Not":{"Variable":"$.a[0]","NumericLessThanPath":"$..b"},"Next":"S"}]`), `{"a":[1]}`)
	f.Fuzz(func(t *testing.T, definition, input string) {
		prog, err := parseDefinition([]byte(definition), nil)
		value, inputErr := decode([]byte(input))
		if err != nil || inputErr != nil {
			return
		}
		e := &execution{service: New(Config{}), machine: &machine{}, program: prog}
		for _, st := range prog.states {
			v := &visit{execution: e, state: st, raw: value}
			if st.kind != "Task" && st.kind != "Map" && st.kind != "Wait" {
				_, _, _ = e.attempt(t.Context(), v)
			}
		}
	})
}
