package statemachine

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEachRuleSeesItsBreach breaks one side of the contract at a time. A rule that stays silent here checks nothing.
func TestEachRuleSeesItsBreach(t *testing.T) {
	const (
		exist   = "every function has a folder, every task a function"
		named   = "every named error is a type, every type has a place"
		payload = "every task sends what its function takes"
		path    = "every path leads somewhere"
		outlive = "a task outlives its function"
		retry   = "every task is retried as AWS advises"
		caught  = "every failure is caught"
		ends    = "an execution ends with its own error"
		batch   = "a batch that fails stops nobody"
		choice  = "the choice knows every answer of plan"

		sendBatch = "States/Send/ItemProcessor/States/SendBatch/"
	)
	sender := map[string]any{"Fn::GetAtt": []string{"send", "Arn"}}
	whole := map[string]any{"FunctionName": sender, "Payload.$": "$"}
	broken := []struct {
		rule   string
		breach func(*texts)
		want   string
	}{
		{exist, set("States/Plan/Parameters/FunctionName/Fn::GetAtt/0", "plann"), `Plan: FunctionName "plann" is no function`},
		{exist, set("States/Plan/Resource", "arn:aws:states:::lambda:invok"), `Plan: Resource "arn:aws:states:::lambda:invok"`},
		{exist, func(in *texts) { delete(in.handlers, "plan") }, "function plan of functions.yml has no lambdas/plan/main.go"},
		{exist, func(in *texts) { in.handlers["extra"] = nil }, "lambdas/extra is no function"},

		{named, set("States/Prepare/Catch/0/ErrorEquals/0", "CampaignIsBusy"), "Prepare: error CampaignIsBusy is no type"},
		{named, set(sendBatch+"Retry/1/ErrorEquals/0", "DatabaseBussy"), "SendBatch: error DatabaseBussy is no type"},
		{named, set("States/Prepare/Catch/0/ErrorEquals/0", "CampaignStuck"), "CampaignBusy is not named in the definition, and README.md does not say why"},
		{named, set("States/Prepare/Catch/0/ErrorEquals/0", "CampaignStuck"), "README.md says that no state names CampaignStuck, but the definition does"},
		{named, replace(errorsOf, "*CampaignBusy) Error", "CampaignBusy) Error"), "CampaignBusy has no Error method on its pointer"},
		{named, replace(errorsOf, "*CampaignBusy) Error", "*CampaignBusy) String"), "CampaignBusy has no Error method on its pointer"},
		{named, replace(errorsOf, "CampaignStuck", "CampaignBroken"), "CampaignBroken is not named"},
		{named, replace(errorsOf, "CampaignStuck", "CampaignBroken"), "README.md names CampaignStuck, which is no type"},
		{named, func(in *texts) { in.handlers["plan"] = append(in.handlers["plan"], planRefuses) }, "Plan: README.md says that no state meets InvalidRequest"},

		{payload, set("States/Plan/Parameters/Payload/campain.$", "$.campaign"), "Plan: passes campain, which PlanInput does not read"},
		{payload, set("States/Plan/Parameters/Payload/campaign.$", nil), "Plan: does not pass campaign, which PlanInput reads"},
		{payload, set("States/Prepare/Parameters/Payload/execution.$", nil), "Prepare: does not pass execution, which PrepareInput reads"},
		{payload, set("States/Finish/Parameters/Payload/error", nil), "Finish: does not pass error, which FinishInput reads"},
		{payload, set("States/RecordFailure/Parameters/Payload/reason", nil), "RecordFailure: does not pass reason, which FinishInput reads"},
		{payload, set(sendBatch+"Parameters", whole), "SendBatch: passes result, which SendInput does not read"},
		{payload, both(set(sendBatch+"Parameters", whole), set("States/Send/ItemSelector/wave.$", nil)), "SendBatch: does not pass wave, which SendInput reads"},
		{payload, both(set(sendBatch+"Parameters", whole), set("States/Send/ItemSelector/items.$", "$$.Map.Item.Value")), "SendBatch: passes items, which SendInput does not read"},
		{payload, set(sendBatch+"Parameters", map[string]any{"FunctionName": sender}), "SendBatch: does not pass batch, which SendInput reads"},
		{payload, set("States/Plan/ResultSelector/until.$", "$.Payload.untill"), "Plan: ResultSelector until.$: $.Payload.untill is no field of PlanOutput"},
		{payload, set(sendBatch+"ResultSelector/more.$", "$.more"), "SendBatch: ResultSelector more.$: $.more is no field of SendOutput"},
		{payload, replace(typesOf, "`json:\"maxConcurrency\"`", "`json:\"senders\"`"), "$.Payload.maxConcurrency is no field of PlanOutput"},
		{payload, func(in *texts) { in.handlers["send"] = nil }, "SendBatch: lambdas/send has no handler"},

		{path, set("States/Plan/Parameters/Payload/campaign.$", "$.name"), "Plan: $.name leads nowhere"},
		{path, both(set(sendBatch+"Parameters/Payload", map[string]any{"wave.$": "$.wave"}), set("States/Send/ItemSelector/wave.$", nil)), "SendBatch: $.wave leads nowhere"},
		{path, set("States/WaitUntil/TimestampPath", "$.plan.til"), "WaitUntil: $.plan.til leads nowhere"},
		{path, set("States/Send/ItemReader/Parameters/Key.$", "$.plan.manifest.name"), "Send: $.plan.manifest.name leads nowhere"},
		{path, set("States/Send/ItemProcessor/States/More?/Choices/0/Variable", "$.result.moar"), "More?: $.result.moar leads nowhere"},
		{path, set("States/RecordFailure/Parameters/Payload/execution.$", "$.execution"), "RecordFailure: $.execution leads nowhere"},
		{path, set("States/Prepare/Catch/2/ResultPath", "$.failure"), "RecordFailure: $.error leads nowhere"},
		{path, set("States/Plan/ResultPath", "$.next"), "Next?: $.plan.next leads nowhere"},
		{path, set("States/Begin/Parameters", map[string]any{"given.$": "$"}), "Prepare: $.input leads nowhere"},
		{path, set("States/FailedInStepFunctions/CausePath", "States.Format('{}', $.errors)"), "FailedInStepFunctions: $.errors leads nowhere"},
		{path, set("States/Next?/Choices/1/Next", "Send"), "WaitUntil: no way leads to this state"},

		{outlive, set("States/Prepare/TimeoutSeconds", 900), "Prepare: TimeoutSeconds 900 is not above the 900 s of function prepare"},
		{outlive, set(sendBatch+"TimeoutSeconds", nil), "SendBatch: TimeoutSeconds <nil> is not above the 300 s of function send"},
		{outlive, replace(functionsOf, "timeout: 300", "timeout: 600"), "Plan: TimeoutSeconds 330 is not above the 600 s of function plan"},

		{retry, set("States/Plan/Retry", nil), "Plan: no Retry for Lambda.TooManyRequestsException"},
		{retry, set("States/Plan/Retry/2/ErrorEquals/4", "Lambda.Other"), "Plan: no Retry for Lambda.SdkClientException"},
		{retry, set("States/Plan/Retry/2/ErrorEquals/4", "Lambda.Other"), "README.md does not say what becomes of Lambda.Other"},
		{retry, set("States/Plan/Retry/1/ErrorEquals/3", "Lambda.KMSDisabledException"), "Plan: no Retry for Lambda.ENILimitReachedException"},
		{retry, set("States/Plan/Retry/1/ErrorEquals/3", "Lambda.KMSDisabledException"), "Plan: a Retry of Lambda.KMSDisabledException hides that the deployment is wrong"},
		{retry, set("States/Plan/Retry/1/MaxAttempts", 6), "Plan: Retry of Lambda.SubnetIPAddressLimitReachedException has 6 attempts, want 60"},
		{retry, replace(readmeOf, "`Lambda.KMSNotFoundException`", "KMSNotFoundException"), "README.md does not say what becomes of Lambda.KMSNotFoundException"},
		{retry, set(sendBatch+"Retry/0/ErrorEquals/2", "CampaignBusy"), "SendBatch: no Retry for DatabaseBusy"},
		{retry, set(sendBatch+"Retry/0/JitterStrategy", "NONE"), `SendBatch: Retry of DatabaseBusy has JitterStrategy "NONE", want FULL`},

		{caught, set("States/Finish/Catch", nil), "Finish: the last Catch is not States.ALL alone"},
		{caught, set("States/Prepare/Catch/2/ErrorEquals/0", "States.TaskFailed"), "Prepare: the last Catch is not States.ALL alone"},
		{caught, set("States/Send/Catch", nil), "Send: the last Catch is not States.ALL alone"},

		{ends, set("StartAt", "Prepare"), "Prepare: the first state does not make an object of the input"},
		{ends, set("States/Begin/Parameters", nil), "Begin: the first state does not make an object of the input"},
		{ends, set("States/Begin/ResultPath", "$.x"), "Begin: the first state does not make an object of the input"},
		{ends, set("States/RecordFailure/Next", "Failed"), "Failed: it may get a name that begins with States. from RecordFailure"},
		{ends, set("States/Finish/Catch/0/Next", "Failed"), "Failed: it may get a name that begins with States. from Finish"},
		{ends, set("States/Whose?/Choices/0/StringMatches", "State.*"), "Failed: it may get a name that begins with States. from Whose?"},
		{ends, set("States/Whose?/Choices/0/Variable", "$.error.Cause"), "Failed: it may get a name that begins with States. from Whose?"},
		{ends, set("States/Whose?/Choices/0/Next", "Failed"), "Failed: it may get a name that begins with States. from Whose?"},

		{batch, set("States/Send/Retry", []any{}), "Send: a Retry on the Map"},
		{batch, set("States/Send/ToleratedFailurePercentage", nil), "Send: ToleratedFailurePercentage is <nil>, want 100"},
		{batch, set("States/Send/ItemProcessor/ProcessorConfig/ExecutionType", "EXPRESS"), "Send: children are DISTRIBUTED EXPRESS"},

		{choice, set("States/Next?/Choices/0/StringEquals", "sent"), `Next?: "sent" is no constant of workflow.Next`},
		{choice, set("States/Next?/Choices/0/StringEquals", "wait"), `Next?: no choice for send, finish, and Default is "Finish"`},
		{choice, set("States/Next?/Default", "WaitUntil"), `Next?: no choice for finish, and Default is "WaitUntil"`},
		{choice, replace(typesOf, `NextWait Next = "wait"`, `NextWait Next = "pause"`), `Next?: "wait" is no constant of workflow.Next`},
		{choice, set("States/Next?/Choices", []any{}), "0 Choice states look at $.plan.next"},
	}
	silent := map[string]bool{}
	for name := range rules {
		silent[name] = true
	}
	for _, b := range broken {
		t.Run(b.want, func(t *testing.T) {
			in := readTexts(t)
			b.breach(&in)
			got := rules[b.rule](load(t, in))
			if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, b.want) }) {
				t.Errorf("the rule said\n\t%s\nwant a line with\n\t%s", strings.Join(got, "\n\t"), b.want)
			}
		})
		delete(silent, b.rule)
	}
	for name := range silent {
		t.Errorf("no breach here tests the rule: %s", name)
	}
}

// set puts a value at a place of the definition, names and list indices separated by slashes; nil takes the place away.
func set(place string, value any) func(*texts) {
	return func(in *texts) {
		var definition any
		if err := json.Unmarshal([]byte(in.definition), &definition); err != nil {
			panic(err)
		}
		keys := strings.Split(place, "/")
		at := definition
		for _, key := range keys[:len(keys)-1] {
			at = step(at, key)
		}
		last := keys[len(keys)-1]
		switch at := at.(type) {
		case []any:
			i, _ := strconv.Atoi(last)
			at[i] = value
		case map[string]any:
			if value == nil {
				if _, ok := at[last]; !ok {
					panic("the definition has no " + place)
				}
				delete(at, last)
			} else {
				at[last] = value
			}
		default:
			panic("the definition has no " + place)
		}
		broken, err := json.Marshal(definition)
		if err != nil {
			panic(err)
		}
		in.definition = string(broken)
	}
}

// planRefuses is a file of a function that gives the state machine an error it knows nothing of.
const planRefuses = `package main

import "fanmail/shared/workflow"

var errRefused = &workflow.InvalidRequest{}
`

// both breaks two places.
func both(first, second func(*texts)) func(*texts) {
	return func(in *texts) { first(in); second(in) }
}

func step(at any, key string) any {
	if list, ok := at.([]any); ok {
		i, _ := strconv.Atoi(key)
		return list[i]
	}
	object, _ := at.(map[string]any)
	return object[key]
}

func typesOf(in *texts) *string     { return &in.types }
func errorsOf(in *texts) *string    { return &in.errors }
func functionsOf(in *texts) *string { return &in.functions }
func readmeOf(in *texts) *string    { return &in.readme }

// replace changes a text of one of the files.
func replace(file func(*texts) *string, old, new string) func(*texts) {
	return func(in *texts) {
		text := file(in)
		if !strings.Contains(*text, old) {
			panic("the file has no " + old)
		}
		*text = strings.ReplaceAll(*text, old, new)
	}
}
