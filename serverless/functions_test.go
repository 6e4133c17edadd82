package serverless

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fanmail/shared/deployment"
)

func functionsAreDeployed(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	left := map[string]bool{}
	v.each("AWS::Lambda::Function", func(name string, _ resource) { left[name] = true })
	for _, function := range v.functions {
		name := logicalName(function.Key)
		p := v.properties(name)
		f.check(left[name], "function %s is not deployed", function.Key)
		delete(left, name)
		f.check(p.text("FunctionName") == "fanmail-"+stage+"-"+function.Key, "function %s is called %q", function.Key,
			p.text("FunctionName"))
		f.check(strings.HasSuffix(p.object("Code").text("S3Key"), "/"+function.Key+".zip"),
			"function %s has the package %q", function.Key, p.object("Code").text("S3Key"))
		f.check(p.text("Runtime") == "provided.al2023" && p.text("Handler") == "bootstrap",
			"function %s runs %s on %s", function.Key, p.text("Handler"), p.text("Runtime"))
		f.check(slices.Contains([]string{"arm64", "x86_64"}, strings.Join(p.texts("Architectures"), "")),
			"function %s runs on %v", function.Key, p.texts("Architectures"))
		f.check(p.number("Timeout") == function.Timeout.Seconds(), "function %s has the timeout %v s, want %v",
			function.Key, p.number("Timeout"), function.Timeout)
		f.check(int(p.number("MemorySize")) == function.MemorySize, "function %s has %v MiB, want %d", function.Key,
			p.number("MemorySize"), function.MemorySize)
		f.check(p.object("TracingConfig").text("Mode") == "Active", "function %s is not traced", function.Key)
		group := v.properties(titled(function.Key) + "LogGroup")
		f.check(
			group.text("LogGroupName") == "/aws/lambda/"+p.text("FunctionName") &&
				group.number("RetentionInDays") == 30,
			"function %s keeps logs for ever",
			function.Key,
		)
	}
	for name := range left {
		wrong = append(wrong, name+" is no function of functions.yml")
	}
	return wrong
}

// optional are variables that a function may look for and the deployment does not give.
var optional = map[string]string{
	"AWS_LAMBDA_RUNTIME_API": "Lambda sets it",
	"PGSSLMODE":              "the driver's own, for those who run a function by hand",
	"PGSSLROOTCERT":          "the driver's own, for those who run a function by hand",
	"FANMAIL_GRACE":          "the default is right; tests shorten it",
	"FANMAIL_SES_TIMEOUT":    "the default is right; tests shorten it",
	"DATABASE_CA":            "a parameter, empty by default",
}

// unread are variables that no code of Fanmail looks for.
var unread = map[string]string{
	"GOGC":          "Go's runtime reads it",
	"FANMAIL_STAGE": "every function is told, and those with metrics read it",
}

// logins are the variables of each way to log in; the value of databaseAuth decides.
var logins = map[string][]string{
	"secret":   {"DATABASE_AUTH", "DATABASE_SECRET_ARN"},
	"iam":      {"DATABASE_AUTH", "DATABASE_URL"},
	"password": {"DATABASE_AUTH", "DATABASE_URL"},
}

func variablesAreRead(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	for _, function := range v.functions {
		given := v.properties(logicalName(function.Key)).object("Environment").object("Variables")
		read := v.code[function.Key].variables
		for name := range given {
			_, known := unread[name]
			f.check(read[name] || known, "function %s gets %s, which it does not read", function.Key, name)
		}
		for name := range read {
			_, free := optional[name]
			free = free || strings.HasPrefix(name, "DATABASE_") && !slices.Contains(logins[v.auth()], name)
			f.check(given.has(name) || free, "function %s reads %s, which it does not get", function.Key, name)
		}
		f.check(given.text("DATABASE_AUTH") == v.auth(), "function %s logs in by %q, want %q", function.Key,
			given.text("DATABASE_AUTH"), v.auth())
		f.check(given.text("FANMAIL_STAGE") == stage, "function %s does not know its stage", function.Key)
		for _, name := range []string{"DATABASE_SECRET_ARN", "DATABASE_URL"} {
			parameter := map[string]string{"DATABASE_SECRET_ARN": "databaseSecretArn", "DATABASE_URL": "databaseUrl"}[name]
			f.check(given.text(name) == v.parameters[parameter], "function %s has %s %q, want %q", function.Key, name,
				given.text(name), v.parameters[parameter])
		}
		admin := ""
		if function.Key == "migrate" {
			admin = v.parameters["databaseAdminSecretArn"]
		}
		f.check(given.text("DATABASE_ADMIN_SECRET_ARN") == admin, "function %s has the administrator's secret %q",
			function.Key, given.text("DATABASE_ADMIN_SECRET_ARN"))
	}
	return wrong
}

func concurrencyIsTheBound(v variant) (wrong []string) {
	f := (*findings)(&wrong)
	bound := deployment.Bound(v.functions)
	account := v.parameters["reservedConcurrency"] == "account"
	sum := 0
	for _, function := range v.functions {
		p := v.properties(logicalName(function.Key))
		want := function.ReservedConcurrency
		if account {
			want = 0
		}
		got := int(p.number("ReservedConcurrentExecutions"))
		f.check(got == want && p.has("ReservedConcurrentExecutions") == !account,
			"function %s has a reserved concurrency of %d, want %d", function.Key, got, want)
	}
	v.each(
		"AWS::Lambda::Function",
		func(_ string, r resource) { sum += int(r.Properties.number("ReservedConcurrentExecutions")) },
	)
	f.check(account || sum == bound, "the reserved concurrencies sum up to %d, but the bound is %d", sum, bound)
	senders := fmt.Sprint(deployment.Senders(v.functions))
	planned := v.properties("PlanLambdaFunction").object("Environment").object("Variables").text("FANMAIL_SENDERS")
	f.check(planned == senders, "plan counts on %q senders, but there are %s", planned, senders)
	for _, key := range []string{"migrate", "control"} {
		limit := v.properties(logicalName(key)).
			object("Environment").
			object("Variables").
			text("FANMAIL_CONNECTION_LIMIT")
		f.check(limit == fmt.Sprint(bound), "the role's limit is %q for %s, but the bound is %d", limit, key, bound)
	}
	f.check(v.Outputs["ConnectionBound"].Value == fmt.Sprint(bound),
		"the output ConnectionBound is %v, but the bound is %d", v.Outputs["ConnectionBound"].Value, bound)
	return wrong
}

func sourcesAreMapped(v variant) (wrong []string) {
	mapped := map[string]object{}
	v.each(
		"AWS::Lambda::EventSourceMapping",
		func(_ string, r resource) { mapped[attributeOf(r.Properties["FunctionName"])] = r.Properties },
	)
	for _, f := range v.functions {
		p, ok := mapped[logicalName(f.Key)]
		delete(mapped, logicalName(f.Key))
		if ok != (f.EventSource != nil) {
			wrong = append(
				wrong,
				fmt.Sprintf("function %s: event source in the template: %v, in functions.yml: %v", f.Key, ok, !ok),
			)
		}
		if !ok || f.EventSource == nil {
			continue
		}
		got := deployment.EventSource{
			Queue:                   attributeOf(p["EventSourceArn"]),
			BatchSize:               int(p.number("BatchSize")),
			BatchingWindow:          time.Duration(p.number("MaximumBatchingWindowInSeconds")) * time.Second,
			MaximumConcurrency:      int(p.object("ScalingConfig").number("MaximumConcurrency")),
			ReportBatchItemFailures: slices.Contains(p.texts("FunctionResponseTypes"), "ReportBatchItemFailures"),
		}
		if got != *f.EventSource || p["Enabled"] != true {
			wrong = append(
				wrong,
				fmt.Sprintf("function %s: its event source is %+v, want %+v, enabled", f.Key, got, *f.EventSource),
			)
		}
	}
	for name := range mapped {
		wrong = append(wrong, fmt.Sprintf("%s has an event source, but is no function of functions.yml", name))
	}
	return wrong
}
